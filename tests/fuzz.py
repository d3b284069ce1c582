"""Random cases of theory, of tables and of damaged stores: what is asked for comes back right, or is refused in one line.

``python -m tests.fuzz --minutes 30`` goes on with new seeds until the time is over, and prints those of cases that fail;
``python -m tests.fuzz --case theory 17`` runs one of them again.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import xarray as xr

import freshmix as fm
from freshmix.sweeps.complete import complete
from freshmix.sweeps.spec import read_spec
from freshmix.sweeps.status import status
from freshmix.sweeps.verify import verify

from .test_edges import tables
from .test_sweep_store import make_stores

# What a seed is for.
KINDS = ("theory", "theory", "theory", "table", "store")


def check_refusal(error):
    """One line in plain words and plain numbers."""
    said = str(error)
    assert said.strip()
    assert "np." not in said, said
    assert "nan" not in said.lower().split(), said
    return type(error).__name__


def population(rng):
    """Spectra of many shapes, over up to twelve decades."""
    signal, noise = 10.0 ** rng.uniform(-3, 3), rng.choice([0.0, 10.0 ** rng.uniform(-4, 4)], p=[0.1, 0.9])
    size = int(rng.integers(1, 8))
    shares = rng.dirichlet(np.ones(size))
    atoms = (
        10.0 ** rng.uniform(-6, 6, size),
        shares / shares.sum(),
        rng.uniform(0, 2, size) * rng.choice([0, 1], size, p=[0.2, 0.8]),
    )
    makers = (
        lambda: fm.Population.isotropic(signal, noise_variance=noise),
        lambda: fm.Population.two_level(10.0 ** rng.uniform(-8, 0), noise_variance=noise),
        lambda: fm.Population.spiked(10.0 ** rng.uniform(-2, 3), rng.uniform(), noise_variance=noise),
        lambda: fm.Population.spiked(-rng.uniform(0.5, 0.9999), rng.uniform(), noise_variance=noise),
        lambda: fm.Population.autoregressive(rng.uniform(-0.99, 0.99), int(rng.integers(2, 60)), noise_variance=noise),
        lambda: fm.Population(*atoms, noise),
    )
    return makers[rng.integers(len(makers))]()


def loop(rng):
    """Loops of both kinds, near the interpolation threshold and far from it."""
    aspect = rng.choice([10.0 ** rng.uniform(-2, 3), 1.0 + rng.normal() * 10.0 ** rng.uniform(-6, -1), 1.0])
    given = {
        "aspect": float(abs(aspect)),
        "penalty": float(rng.choice([0.0, 10.0 ** rng.uniform(-6, 4), 10.0 ** rng.uniform(-300, 60)], p=[0.2, 0.7, 0.1])),
        "real_weight": float(rng.choice([0.0, 1.0, rng.uniform(), 10.0 ** rng.uniform(-8, 0)])),
        "synthetic_noise_ratio": float(rng.choice([0.0, 1.0, rng.uniform(0, 3)])),
    }
    if rng.uniform() < 0.6:
        return fm.Loop(**given, labels=str(rng.choice(["fresh", "frozen"])))
    if rng.uniform() < 0.5:
        del given["real_weight"]
        return fm.Loop.partially_labelled(
            labelled=float(rng.uniform(0.01, 1)), row_weight=(1.0, float(rng.uniform(0, 2))), **given
        )
    return fm.Loop(**given, covariates="fresh")


def theory(seed):
    """Risks are no NaN and not negative, and scale with noise and signal together."""
    rng = np.random.default_rng([seed, 0])
    try:
        data, course = population(rng), loop(rng)
    except ValueError as error:
        return check_refusal(error)
    T = int(rng.choice([0, 1, 5, 40]))
    scale = 4.0 ** rng.integers(-3, 4)
    scaled = fm.Population(data.eigenvalues, data.shares, scale * data.signal, scale * data.noise_variance)
    try:
        risks = fm.risk(data, course, T)
        assert risks.shape == (T + 1,)
        assert not np.isnan(risks).any()
        assert np.all(risks >= 0)
        np.testing.assert_allclose(fm.risk(scaled, course, T), scale * risks, rtol=1e-9)
        long_run = fm.limit(data, course).risk
        assert long_run >= 0
        found = fm.optimal_weight(data, course, generations=max(T, 1)) if course.covariates == "frozen" else None
        # The best weight is at least as good as that of the loop.
        assert found is None or found.risk <= fm.risk(data, course, max(T, 1))[-1] * (1 + 1e-9) + 1e-300
    except (ValueError, ArithmeticError) as error:
        return check_refusal(error)
    return "right"


def table(seed):
    """Intervals hold their points, and none is beyond reason."""
    for X, y in tables(1, [seed, 1]):
        found = fm.estimate(X, y)
        points = {"noise_variance": found.noise_variance, "null_risk": found.null_risk}
        if found.noise_variance > 0:
            points["signal_to_noise_ratio"] = found.null_risk / found.noise_variance
        for name, value in points.items():
            low, high = found.intervals[name]
            assert low <= value <= high, (name, value, low, high)
        assert found.null_risk <= 3.0 * np.var(y)
    return "right"


def store(seed, stores):
    """Some files damaged: mended bit for bit, or refused with nothing changed; a check that finds nothing is right."""
    rng = np.random.default_rng([seed, 2])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "store")
        shutil.copytree(stores / "store", root)
        done = [damaged(rng, root, stores) for _ in range(int(rng.integers(1, 4)))]
        plan = read_spec(stores / "store.toml")
        try:
            faults = verify(root)
            finished = status(root)[0].finished
            healed = complete(plan, root, workers=0, progress=False).healed
        except (ValueError, OSError) as error:
            return check_refusal(error)
        assert verify(root) == [], done
        # What was healed had been told, and nothing was lost where nothing was told.
        assert not healed or faults, (done, healed)
        assert faults or finished == 8, (done, finished)
        with xr.open_zarr(root) as found, xr.open_zarr(stores / "store") as whole:
            np.testing.assert_array_equal(found.risk.values.view(np.uint64), whole.risk.values.view(np.uint64))
            assert found.load().drop_attrs().identical(whole.load().drop_attrs()), done
    return "right"


def damaged(rng, root, stores):
    """One file or folder of a store, as it should not be; what was done."""
    paths = sorted(path.relative_to(root) for path in root.rglob("*") if path.name != ".lock")
    name = paths[rng.integers(len(paths))]
    path = root / name
    how = str(rng.choice(["missing", "cut", "flipped", "garbage", "other", "moved"]))
    content = path.read_bytes() if path.is_file() else b""
    if how == "moved":
        target = root / paths[rng.integers(len(paths))]
        if path.is_file() and target.is_file() and path != target:
            shutil.copyfile(target, path)
        return f"{target} -> {name}"
    (shutil.rmtree if path.is_dir() else Path.unlink)(path)
    if how == "cut":
        path.write_bytes(content[: int(rng.integers(len(content) + 1))])
    elif how == "flipped" and content:
        changed = bytearray(content)
        changed[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
    elif how == "garbage":
        path.write_bytes(rng.bytes(int(rng.integers(200))) if rng.uniform() < 0.5 else json.dumps([{}, None, 3]).encode())
    elif how == "other" and (stores / "other" / name).is_file():
        shutil.copyfile(stores / "other" / name, path)
    return f"{name} {how}"


def run(kind, seed, stores):
    """What came of a case; warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Consolidated metadata")
        return {"theory": theory, "table": table, "store": lambda each: store(each, stores)}[kind](seed)


def main():
    """Cases until the time is over: of five three of theory, one table, one store."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--case", nargs=2, metavar=("KIND", "SEED"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stores = make_stores(Path(folder))
        if given.case:
            print(run(given.case[0], int(given.case[1]), stores))
            return 0
        print(f"seeds from {given.seed}", flush=True)
        ends, seed, end = Counter(), given.seed, time.monotonic() + 60 * given.minutes
        while time.monotonic() < end:
            kind = KINDS[seed % len(KINDS)]
            try:
                ends[kind, run(kind, seed, stores)] += 1
            except Exception as error:
                ends[kind, "failed"] += 1
                said = (str(error).strip().splitlines() or [""])[0]
                print(f"failed: python -m tests.fuzz --case {kind} {seed}: {type(error).__name__}: {said}", flush=True)
            seed += 1
        print(", ".join(f"{kind} {how}: {count}" for (kind, how), count in sorted(ends.items())))
    return int(any(how == "failed" for _, how in ends))


if __name__ == "__main__":
    sys.exit(main())
