"""False alarms and delays of ``fm.Watch``: python benchmarks/watch.py [--loops 1000]

Loops of 50 gaussian coefficients, ``bhat_t = beta + e_t`` with excess risk |e_t|^2 of a quarter of the noise variance, e_t
as an AR(1) over generations (memory: 0, 0.5, 0.9), watched for 100 generations on one fixed hold-out of 1,000 labelled rows
at a level of 1%. Sick ones go up to a half of the noise variance after generation 20, at once or over ten generations. And
real loops: ridge on fresh rows, real weight 0.6, which improve first and then hold.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import freshmix as fm

P, ROWS, GENERATIONS, CHANGE = 50, 1000, 100, 20


def risks(kind: str) -> np.ndarray:
    t = np.arange(GENERATIONS)
    if kind == "healthy":
        return np.full(GENERATIONS, 0.25)
    rise = (t >= CHANGE) if kind == "at once" else np.clip((t - CHANGE + 1) / 10, 0, 1)
    return 0.25 + 0.25 * rise


def loop(kind: str, memory: float, rng: np.random.Generator, noise: str) -> tuple[int | None, int | None]:
    """The generation at which a loop is called collapsing, and since when it is said to."""
    X = rng.standard_normal((ROWS, P))
    y = rng.standard_normal(ROWS) if noise == "gaussian" else rng.standard_t(5, ROWS) / np.sqrt(5 / 3)
    watch, e = fm.Watch(y), rng.standard_normal(P)
    for risk in risks(kind):
        e = memory * e + np.sqrt(1 - memory**2) * rng.standard_normal(P)
        state = watch.update(X @ e * np.sqrt(risk / P))
        if state.verdict == "collapsing":
            return state.generation, state.since
    return None, None


def ridge(rng: np.random.Generator) -> int | None:
    """A real loop on fresh rows that holds."""
    X, beta = rng.standard_normal((ROWS, P)), rng.standard_normal(P) / np.sqrt(P)
    watch = fm.Watch(X @ beta + rng.standard_normal(ROWS), X)
    model = fm.MixedRidge(5.0, real_weight=0.6, fit_intercept=False)
    for _ in range(GENERATIONS):
        rows = rng.standard_normal((150, P))
        model.partial_fit(rows, rows @ beta + rng.standard_normal(150))
        state = watch.update(model)
        if state.verdict == "collapsing":
            return state.generation
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, default=1000)
    loops = parser.parse_args().loops
    print("found: within ten generations of the change; delay and error of ``since``: medians, in generations")
    names = (("noise", 10), ("memory", 8), ("flagged healthy", 17), ("found at once", 15), ("delay", 7))
    names += (("found slow", 12), ("delay", 7), ("since off by", 14))
    print("".join(f"{name:>{width}s}" for name, width in names))
    for noise in ("gaussian", "t(5)"):
        for memory in (0.0, 0.5, 0.9):
            rngs = np.random.default_rng([int(10 * memory), len(noise)]).spawn(3 * loops)
            healthy = np.mean([loop("healthy", memory, rng, noise)[0] is not None for rng in rngs[:loops]])
            cells = []
            for k, kind in enumerate(("at once", "slowly"), 1):
                seen = [loop(kind, memory, rng, noise) for rng in rngs[k * loops : (k + 1) * loops]]
                late = np.array([GENERATIONS if at is None else at - CHANGE + 1 for at, _ in seen])
                since = [start - CHANGE for at, start in seen if at is not None and start is not None]
                cells += [np.mean((late > 0) & (late <= 10)), np.median(late), np.median(np.abs(since))]
            print(
                f"{noise:>10s}{memory:8.1f}{healthy:17.2%}{cells[0]:15.1%}{cells[1]:7.0f}{cells[3]:12.1%}{cells[4]:7.0f}{cells[2]:14.0f}",
                flush=True,
            )
    flagged = np.mean([ridge(rng) is not None for rng in np.random.default_rng(7).spawn(loops)])
    print(f"ridge loops on fresh rows, real weight 0.6: {flagged:.2%} flagged in {GENERATIONS} generations")


if __name__ == "__main__":
    main()
