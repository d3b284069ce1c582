"""Sweeps: the description, seeds, the store, longer grids."""

import numpy as np
import pytest
import xarray as xr

import freshmix as fm
from freshmix.sweep.grid import seed_of

SPEC = {
    "generations": 3,
    "replicates": 4,
    "rows": 40,
    "populations": {"iso": {"model": "isotropic"}, "ar": {"model": "autoregressive", "correlation": 0.5}},
    "loops": {"frozen": {}, "partly": {"labelled": 0.5}},
    "grid": {"aspect": [0.5, 2.0], "real_weight": [0.2, 0.5, 1.0], "penalty": [0.1, 1.0]},
}


def swept(root, **changed):
    return fm.sweep({**SPEC, **changed}, root).load()


def test_numbers_are_those_of_simulate(tmp_path):
    found = swept(tmp_path / "store")
    with xr.open_zarr(tmp_path / "store") as stored:
        assert stored.risk.dims == ("population", "loop", "aspect", "replicate", "real_weight", "penalty", "generation")
        xr.testing.assert_identical(stored.load(), found)
    assert found.done.all()
    seed = seed_of(0, {"population": "ar", "loop": "partly", "aspect": 2.0})
    expected = fm.simulate(
        fm.Population.autoregressive(0.5, 80),
        fm.Loop.partially_labelled(aspect=2.0, labelled=0.5),
        3,
        rows=40,
        replicates=4,
        seed=seed,
        real_weight=[0.2, 0.5, 1.0],
        penalty=[0.1, 1.0],
    )
    np.testing.assert_array_equal(found.risk.sel(population="ar", loop="partly", aspect=2.0), expected.risk)


def test_longer_grids_keep_what_is_there(tmp_path):
    short = swept(tmp_path / "store")
    grid = {"penalty": [1.0, 0.1, 10.0], "aspect": [1.5, 0.5, 2.0], "real_weight": [0.2, 0.35, 0.5, 1.0]}
    populations = {"spiked": {"model": "spiked", "strength": 3.0, "alignment": 0.5}, **SPEC["populations"]}
    longer = swept(tmp_path / "store", grid=grid, replicates=6, populations=populations)
    assert longer.done.all()
    assert not longer.risk.isnull().any()
    common = longer.risk.sel({name: short[name] for name in short.dims}).transpose(*short.risk.dims)
    np.testing.assert_array_equal(common, short.risk)
    whole = swept(tmp_path / "whole", grid=grid, replicates=6, populations=populations)
    # What was added to the inner grid is computed apart, so only rounding may differ.
    np.testing.assert_allclose(longer.risk, whole.risk, rtol=1e-12)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"generations": 4}, "generations: 3 -> 4"),
        ({"replicates": 3}, "replicates: 4 -> 3, fewer"),
        ({"seed": 5}, "seed: 0 -> 5"),
        ({"rows": 41}, "options.rows: 40 -> 41"),
        ({"grid": {**SPEC["grid"], "aspect": [0.5]}}, "grid.aspect: without 2.0"),
        ({"grid": {**SPEC["grid"], "noise_variance": [0.5]}}, "grid.noise_variance: new"),
        ({"loops": {"frozen": {"labels": "frozen"}, "partly": {"labelled": 0.5}}}, "loops.frozen.labels: not given -> frozen"),
    ],
)
def test_another_sweep_is_refused_with_what_differs(tmp_path, changed, says):
    swept(tmp_path / "store")
    with pytest.raises(ValueError, match="another sweep") as error:
        swept(tmp_path / "store", **changed)
    assert says in str(error.value).splitlines()
