"""Memory of this machine, and refusals of what needs more."""

import os


def memory() -> float:
    """Bytes of this machine's memory; unbounded where it does not say."""
    return _pages("SC_PHYS_PAGES")


def free_memory() -> float:
    """Bytes that are free now; unbounded where the machine does not say."""
    return _pages("SC_AVPHYS_PAGES")


def _pages(name: str) -> float:
    try:
        return float(os.sysconf(name)) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")


def check_memory(need: float, what: str, advice: str) -> None:
    """Raise ValueError where ``need`` bytes are more than this machine has: before the work, not in the midst of it."""
    if need > memory():
        raise ValueError(f"{what} need {need / 1e9:,.3g} GB of memory, more than the {memory() / 1e9:.3g} GB here: {advice}")
