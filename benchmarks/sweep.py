"""What a sweep costs beside its tasks, and how long a large store takes to open: python benchmarks/sweep.py"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import xarray as xr

from freshmix.sweeps.complete import complete
from freshmix.sweeps.spec import read_spec
from freshmix.sweeps.store import Store
from freshmix.sweeps.verify import verify

TASKS = 2000


def sweep_of(rows):
    return {
        "generations": 20,
        "replicates": TASKS,
        "rows": rows,
        "loop": {"aspect": 2.0},
        "grid": {"real_weight": [0.2, 0.5, 0.7, 1.0], "penalty": [0.1, 1.0]},
    }


def overhead(folder):
    # Rows such that a task takes 5 ms on this machine.
    rows, seconds = 60, 0.0
    while seconds < 0.005:
        rows += 5
        found = complete({**sweep_of(rows), "replicates": 20}, folder / f"rows{rows}", workers=0, progress=False)
        seconds = found.busy / 20
    print(f"(a) {TASKS} tasks of {seconds * 1e3:.1f} ms ({rows} rows), 2 workers, from the call to the return")
    for attempt in range(3):
        alone = complete({**sweep_of(rows), "replicates": 200}, folder / f"alone{attempt}", workers=0, progress=False)
        ideal = alone.busy * (TASKS / 200) / 2
        found = complete(sweep_of(rows), folder / f"two{attempt}", workers=2, progress=False)
        print(
            f"    {found.seconds:.2f} s, {100 * (1 - found.busy / (2 * found.seconds)):.1f}% of two workers' time not tasks; "
            f"{100 * (found.seconds / ideal - 1):.1f}% above half the tasks one after another in one process ({ideal:.2f} s)"
        )


def large(folder):
    spec = {**sweep_of(50), "replicates": 100, "generations": 20}
    spec["grid"] = {"aspect": np.linspace(0.2, 4.0, 1000).tolist(), "real_weight": [0.3, 0.6, 1.0]}
    spec["loop"] = {"penalty": 0.1}
    plan, root = read_spec(spec), folder / "large"
    start = time.perf_counter()
    with Store(root, plan) as store:
        made = time.perf_counter() - start
        values, shape = np.random.default_rng(0), (3, 1, 21)
        writing = time.perf_counter()
        for first in range(0, plan.tasks, 500):
            store.commit({item: values.random(shape) for item in range(first, first + 500)})
        writing = time.perf_counter() - writing
    files = sum(path.is_file() for path in root.rglob("*"))
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    times = {}
    start = time.perf_counter()
    found = xr.open_zarr(root, chunks=None)
    times["xarray.open_zarr"] = time.perf_counter() - start
    start = time.perf_counter()
    assert found.done.values.all()
    times["reading which are finished"] = time.perf_counter() - start
    start = time.perf_counter()
    with Store(root, plan) as store:
        assert store.missing().size == 0
    times["opening to resume (all results checked)"] = time.perf_counter() - start
    start = time.perf_counter()
    assert verify(root) == []
    times["--verify"] = time.perf_counter() - start
    print(f"(b) {plan.tasks} tasks, {size / 1e6:.0f} MB in {files} files; made in {made:.2f} s, 200 commits in {writing:.1f} s")
    for name, seconds in times.items():
        print(f"    {name}: {seconds:.2f} s")


def main():
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        overhead(Path(folder))
        large(Path(folder))


if __name__ == "__main__":
    main()
