"""freshmix beside other ways to do the same work: python benchmarks/compare.py [PART ...] [--markdown FILE] [--small]

Every way runs in a process of its own, after a small job that loads and compiles what it needs. Seconds are of the processor,
for the whole job, the least of ``--repeats`` (once where it takes more than 5); the peak memory is what the process had more at
its height than before. One BLAS thread. With ``--markdown`` the tables are put between the marks of their parts in a page, in
place of those that stand there. Needs the extra ``compare`` (``make compare``); takes minutes.
"""

import argparse
import os
import platform
import re
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from comparison import PARTS

PACKAGES = ("freshmix", "numpy", "scipy", "scikit-learn", "ppi-python", "river", "scikit-rmt")


@dataclass(frozen=True)
class Result:
    """What a way returned, how long it took, and how much memory more than before it needed."""

    value: object
    seconds: float
    megabytes: float


def resident(field):
    """Megabytes that the kernel counts for this process: VmRSS now, VmHWM at its height."""
    return int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def work(part, way, small, repeats, pipe):
    """One way, in a process of its own."""
    module = import_module(f"comparison.{part}")
    module.WAYS[way](module.data(small=True))
    job, seconds = module.data(small=small), float("inf")
    Path("/proc/self/clear_refs").write_text("5")  # the height is counted from here
    before = resident("VmRSS")
    for _ in range(repeats):
        start = time.process_time()
        value = module.WAYS[way](job)
        seconds = min(seconds, time.process_time() - start)
        if seconds > 5:
            break
    pipe.send(Result(value, seconds, max(0.0, resident("VmHWM") - before)))


def alone(*arguments):
    """What ``work`` sends from a new process."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(*arguments, there))
    process.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        raise SystemExit(f"{' '.join(map(str, arguments))}: failed, see above") from None
    finally:
        process.join()


def shown(value):
    """A cell: three digits, or text."""
    if value is None:
        return ""
    if isinstance(value, str | int):
        return str(value)
    if value and abs(value) < 1e-3:
        return f"{value:.0e}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(head, rows):
    """Lines of a table in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *([*map(shown, row)] for row in rows)))


def written(page, part, text):
    """The page with another text between the marks of a part."""
    begin, end = f"<!-- {part}: written by benchmarks/compare.py -->", f"<!-- {part}: end -->"
    if begin not in page or end not in page:
        raise SystemExit(f"the page must hold {begin!r} and {end!r}")
    return f"{page[: page.index(begin)]}{begin}\n\n{text}\n\n{page[page.index(end) :]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"by default all: {', '.join(PARTS)}")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    parser.add_argument("--small", action="store_true", help="tiny data, to try the script")
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"PART must be among {', '.join(PARTS)}, got {', '.join(unknown)}")
    told = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    texts = {"run": f"Python {platform.python_version()}; {told}; one BLAS thread."}
    print(texts["run"], flush=True)
    for part in options.parts or PARTS:
        module = import_module(f"comparison.{part}")
        results = {}
        for way in module.WAYS:
            results[way] = alone(part, way, options.small, options.repeats)
            print(f"{part}: {way}: {results[way].seconds:.2f} s", file=sys.stderr, flush=True)
        texts[part] = table(module.HEAD, module.rows(results, module.data(small=options.small)))
        print(f"\n{module.TITLE}\n\n{texts[part]}", flush=True)
    if options.markdown:
        page = options.markdown.read_text()
        for part, text in texts.items():
            page = written(page, part, text)
        options.markdown.write_text(page)


if __name__ == "__main__":
    main()
