"""What is known, or assumed, of labels that come a second time."""

_ANEW = "when a row is labelled again"


def of_classes(values: int) -> str:
    """A target that names classes."""
    return f"The target has {_which(values)}, and is taken for classes: {_ANEW}, the same label comes back (label renewal 0)."


def no_classes(values: int, renewal: float) -> str:
    """A target that looks like classes, whose labels were said to be drawn anew."""
    return (
        f"The target has {_which(values)}, as classes have, but as you say its labels are drawn anew {_ANEW} (label renewal "
        f"{renewal:.3g}): for classes, whose labels come back, leave that out."
    )


def _which(values: int) -> str:
    return "two values" if values == 2 else f"{values} values, whole numbers"


def estimated(share: float, used: float, interval: tuple[float, float], copies: int) -> str:
    """What the labels of repeated rows show, and what is made of it."""
    low, high = interval
    if used != share:
        return (
            f"Repeated rows ({copies} copies) show no more than that {100 * low:.3g} to {100 * high:.3g}% of the noise is "
            f"drawn anew {_ANEW}: that all of it is (label renewal 1) is assumed."
        )
    return (
        f"Repeated rows ({copies} copies) show that {100 * share:.3g}% of the noise ({100 * low:.3g} to {100 * high:.3g}%) is "
        f"drawn anew {_ANEW} (label renewal {share:.3g}), and the rest comes back."
    )


def assumed() -> str:
    """Nothing is known."""
    return f"That all noise is drawn anew {_ANEW} (label renewal 1) is assumed: the table has too few repeated rows to show it."


def misfit(share: float) -> str:
    """Part of the noise is what a linear model cannot fit."""
    return (
        f"{100 * share:.2g}% of what is counted as noise is what a linear model cannot fit, which comes back {_ANEW}: "
        f"that the rest is drawn anew is assumed (label renewal {1 - share:.2g})."
    )


def one_record(copies: int) -> str:
    """Rows that are repeated have the same labels."""
    return (
        f"That all noise is drawn anew {_ANEW} (label renewal 1) is assumed: {copies} copies of rows have the very labels of "
        "the others, but so has a record that is there twice."
    )
