"""The engines on other array libraries and in single precision: the same numbers, to rounding."""

import warnings

import numpy as np
import pytest

import freshmix as fm
from freshmix import sampling
from freshmix.simulation import inputs as ROOM
from freshmix.simulation.namespace import Arrays, eigh, solve, to_numpy

from .test_simulate import ISOTROPIC, LEVELS, SOURCES

LIBRARIES = {"strict": "array_api_strict", "torch": "array_api_compat.torch"}
# Largest relative error of a risk that the documentation states for float32.
SINGLE = 1e-3


@pytest.fixture(params=LIBRARIES)
def library(request):
    pytest.importorskip({"strict": "array_api_strict", "torch": "torch"}[request.param])
    return LIBRARIES[request.param]


def both(monkeypatch, other, *arguments, **options):
    """Risks by NumPy and by other arrays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = fm.simulate(*arguments, **options)
        monkeypatch.setattr(ROOM, "arrays_of", lambda device, dtype: other)
        two = fm.simulate(*arguments, **options)
    return one.risk.values, two.risk.values


KINDS = {
    "expected": {},
    "sampled": {"noise": "sampled"},
    "redraw": {"engine": "redraw"},
    "stack": {"workflow": "stack"},
    "accumulate": {"workflow": "accumulate"},
    "subsample": {"workflow": "accumulate-subsample"},
    "kept": {},
}
FRESH = ("redraw", "stack", "accumulate", "subsample", "kept")


def loop_of(kind, rows):
    kept = {"kept_generations": 2, "forgetting": 0.5, "anchor": 0.5} if kind == "kept" else {}
    return fm.Loop(aspect=24 / rows, covariates="fresh" if kind in FRESH else "frozen", **kept)


@pytest.mark.parametrize("rows", [16, 40])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["isotropic", "levels", "autoregressive", "dense"])
def test_libraries_agree(library, monkeypatch, name, kind, rows):
    loop = loop_of(kind, rows)
    options = {"rows": rows, "replicates": 2, "real_weight": [0.0, 0.3, 1.0], "penalty": [0.0, 0.3], **KINDS[kind]}
    one, two = both(monkeypatch, Arrays(library), SOURCES[name], loop, 3, **options)
    np.testing.assert_allclose(two, one, rtol=1e-9)


@pytest.mark.parametrize("rows", [16, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_keeps_its_stated_error(kind, rows):
    loop = loop_of(kind, rows)
    options = {"rows": rows, "replicates": 2, "real_weight": [0.0, 0.3, 1.0], "penalty": [0.01, 0.3], **KINDS[kind]}
    one = fm.simulate(LEVELS, loop, 3, **options)
    two = fm.simulate(LEVELS, loop, 3, dtype="float32", **options)
    assert two.attrs["dtype"] == "float32"
    assert not np.array_equal(one.risk, two.risk)
    np.testing.assert_allclose(two.risk, one.risk, rtol=SINGLE)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_singular_systems_are_solved_on_their_range(library, dtype):
    A = np.random.default_rng(0).standard_normal((2, 9, 4))
    # Beside one that is not.
    gram = np.stack([A[0] @ A[0].T, np.diag(np.arange(1.0, 10.0))])
    right = np.stack([A[0] @ np.ones((4, 2)), np.ones((9, 2))])
    expected = np.linalg.pinv(gram, rcond=1e-10) @ right
    for name in ("array_api_compat.numpy", library):
        load = Arrays(name, dtype=dtype).load
        tolerance = 1e-9 if dtype == "float64" else 1e-3
        np.testing.assert_allclose(to_numpy(solve(load(gram), 0.0, load(right))), expected, rtol=tolerance, atol=tolerance)
        s, vectors = eigh(load(gram[0]))
        assert s.shape == (4,)
        assert vectors.shape == (9, 4)


LOOP = fm.Loop(aspect=0.5, real_weight=0.5)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"device": "gpu"}, "device must be 'cpu', 'cuda'"),
        ({"device": "cuda:x"}, "device must be 'cpu', 'cuda'"),
        ({"device": 0}, "device must be 'cpu', 'cuda'"),
        ({"device": "cuda:99"}, "device 'cuda:99'"),
        ({"dtype": "float16"}, "dtype must be one of float64, float32"),
        ({"dtype": "float32", "engine": "exact-law"}, "runs on the CPU in float64"),
    ],
)
def test_bad_devices(changes, says):
    with pytest.raises(ValueError, match=says):
        fm.simulate(ISOTROPIC, LOOP, 1, rows=20, **changes)


def test_the_device_is_named():
    found = fm.simulate(ISOTROPIC, LOOP, 1, rows=20, device="cpu")
    assert (found.attrs["device"], found.attrs["dtype"]) == ("cpu", "float64")
    np.testing.assert_array_equal(found.risk, fm.simulate(ISOTROPIC, LOOP, 1, rows=20).risk)


def test_rows_of_a_table_on_other_arrays(library, monkeypatch):
    source = sampling.Rows(np.random.default_rng(0).standard_normal((16, 24)), np.linspace(0, 1, 24), covariance=np.eye(24))
    loop = fm.Loop(real_weight=0.5, penalty=0.1)
    one, two = both(monkeypatch, Arrays(library), source, loop, 3)
    np.testing.assert_allclose(two, one, rtol=1e-9)
