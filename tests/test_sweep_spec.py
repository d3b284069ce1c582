"""Sweep files: what they mean, and all their faults at once."""

import json

import numpy as np
import pytest

import freshmix as fm
from freshmix.sweeps.grid import SweepError, loop_of, population_of, seed_of, settings
from freshmix.sweeps.layout import changes, chunk_shape, more_blocks, regions
from freshmix.sweeps.spec import read_spec

FAULTY = """
title = "Faults"
generations = -1
replicates = 2.5
rows = 100
foo = 3

[populations.a]
model = "spiked"
strength = 6.0
alignment = 0.5

[populations."b c"]
model = "spiked"
strength = -6.0
alignment = 0.5

[loops.empty]

[loops.good]
real_weight = 0.5

[loops.bad]
covariates = "fresh"
schedule = [0.5, 2.0]

[[loops.worse.groups]]
share = 0.5

[[loops.worse.groups]]
shar = 0.5

[grid]
aspect = [
  1.5,
  -2.0,
]
penalty = { start = 0.0, stop = 1.0, count = 3, spacing = "log" }
noise_variance = [1.0, 1.0]
correlation = [0.5]
entries = ["gaussian", "cauchy"]
"""


def test_all_faults_at_once_with_their_lines(tmp_path):
    path = tmp_path / "faulty.toml"
    path.write_text(FAULTY)
    with pytest.raises(SweepError) as error:
        read_spec(path)
    said = [line.removeprefix(f"{path}:") for line in str(error.value).splitlines()]
    written = FAULTY.splitlines()
    told = [(written[int(line) - 1], words) for line, _, words in (each.partition(":") for each in said)]
    expected = [
        ("generations = -1", "generations: Input should be greater than or equal to 0, got -1"),
        ("replicates = 2.5", "replicates: Input should be a valid integer, got 2.5"),
        ("foo = 3", "foo: is not a known key"),
        ('[populations."b c"]', "populations.b c: strength must be a number above -1, got -6.0"),
        ("[loops.empty]", "loops.empty: the loop needs a real_weight"),
        ("[loops.bad]", "loops.bad: real_weight must be a number between 0 and 1 with covariates='fresh', got 2.0"),
        ("[[loops.worse.groups]]", "loops.worse.groups.1.share: is needed"),
        ("shar = 0.5", "loops.worse.groups.1.shar: is not a known key"),
        ("aspect = [", "grid.aspect.1: aspect must be a number above 0, got -2.0"),
        ("penalty = {", "grid.penalty: a log range needs start and stop above 0"),
        ("noise_variance = [", "grid.noise_variance: must not hold a value twice"),
        ("correlation = [", "grid.correlation: is not a parameter"),
        ("entries = [", "grid.entries.1: entries must be gaussian"),
    ]
    assert len(told) == len(expected)
    for (line, words), (begins, says) in zip(told, expected, strict=True):
        assert line.startswith(begins)
        assert words.strip().startswith(says)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"grid": {"aspect": []}}, "must be a list of finite numbers"),
        ({"grid": {"aspect": [True]}}, "must be a list of finite numbers"),
        ({"grid": {"aspect": [1.0, float("nan")]}}, "must be a list of finite numbers"),
        ({"grid": {"aspect": {"start": 1.0, "stop": 1.0, "count": 3}}}, "differs from its start"),
        ({"grid": {"aspect": {"start": 1.0, "stop": "x", "number": 3}}}, "number is not a known key"),
        ({"grid": {"aspect": [0.5], "rows": [20]}}, "given twice, here and as rows"),
        ({"loop": {"aspect": 1.5, "real_weight": 0.5}, "grid": {"aspect": [0.5]}}, "given twice, here and in loop"),
        ({"population": {"model": "isotropic", "signal": 2.0}, "grid": {"aspect": [0.5], "signal": [1.0]}}, "given twice"),
        ({"population": {"model": "isotopic"}, "grid": {"aspect": [0.5]}}, "isotopic"),
        ({"population": {"signal": 2.0}, "grid": {"aspect": [0.5]}}, "needs a model"),
        ({"population": {"model": "isotropic"}, "populations": {"a": {"model": "isotropic"}}}, "in place of population"),
        ({"loop": {"real_weight": 0.5}}, "the loop needs an aspect"),
        ({"loop": {"aspect": 0.5}}, "real_weight"),
        ({"loop": {"aspect": 0.5, "real_weight": 0.5, "row_weight": 2.0}}, "needs labelled"),
        ({"loop": {"aspect": 0.5, "labelled": 0.5, "schedule": [0.5]}}, "does not go with schedule"),
        ({"loop": {"aspect": 0.5, "schedule": [0.5]}, "grid": {"real_weight": [0.5]}}, "schedule"),
        ({"rows": "many", "loop": {"aspect": 0.5, "real_weight": 0.5}}, "rows"),
        ({"judged": "later", "loop": {"aspect": 0.5, "real_weight": 0.5}}, "judged: judged must be one of now, next"),
        (
            {"loop": {"aspect": 0.5, "real_weight": 1.0, "kept_generations": "some"}},
            "kept_generations: must be a whole number or all",
        ),
        ({"loop": {"aspect": 0.5, "real_weight": 1.0, "kept_generations": 2}}, "kept_generations needs covariates='fresh'"),
        ({"loop": {"aspect": 0.5, "real_weight": 1.0}, "grid": {"anchor": [0.5, 2.0]}}, "grid.anchor.1: anchor must be"),
        (
            {"loop": {"aspect": 0.5, "real_weight": 1.0}, "grid": {"persistence": [1.0, 0.5]}},
            "grid.persistence.1: persistence below 1",
        ),
        (
            {"population": {"model": "isotropic", "row_sizes": [[1.0, 3.0], [0.5, 0.5]]}, "grid": {"aspect": [0.5]}},
            "row_sizes must",
        ),
        (
            {
                "population": {"model": "autoregressive", "correlation": 0.5},
                "loop": {"aspect": 0.5, "real_weight": 0.5},
                "grid": {"features": [10, 10.5]},
            },
            "grid.features.1: features must be a whole number of at least 1, got 10.5",
        ),
        ({"engine": "magic", "loop": {"aspect": 0.5, "real_weight": 0.5}}, "engine"),
    ],
)
def test_one_fault(content, says):
    base = {"generations": 2, "rows": 20}
    if "loop" not in content and "real_weight" not in content.get("grid", {}):
        base["loop"] = {"real_weight": 0.5}
    with pytest.raises(SweepError) as error:
        read_spec({**base, **content})
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"loop": {"aspect": 0.5, "groups": [{"share": 0.5}]}}, "loop.groups: the shares of groups must sum to 1"),
        ({"loop": {"aspect": 0.5, "row_weight": 2.0, "real_weight": 0.5}}, "loop.row_weight: row_weight, that of rows without"),
        ({"loop": {"aspect": 0.5}}, "loop: the loop needs a real_weight"),
        ({"loop": {"aspect": 0.5, "real_weight": 0.5}, "rows": 0}, "rows: rows must be"),
        ({"label_noise": "t3", "loop": {"aspect": 0.5, "real_weight": 0.5}}, "label_noise: the degrees of freedom"),
        (
            {"grid": {"aspect": [-0.5, -2.0]}, "loop": {"real_weight": 0.5}},
            "grid.aspect: aspect must be a number above 0, got -0.5",
        ),
        (
            {"population": {"model": "spiked", "alignment": 0.5}, "loop": {"aspect": 0.5}},
            "population: population spiked needs strength",
        ),
        (
            {"population": {"model": "power-law", "decay": 1.0, "features": 200}, "loop": {"aspect": 0.5, "real_weight": 0.5}},
            "population.features: 10 features are too few",
        ),
    ],
)
def test_a_fault_stands_where_it_comes_from(content, says):
    """The key that another value of would mend, or the table that lacks one."""
    with pytest.raises(SweepError) as error:
        read_spec({"generations": 2, "rows": 20, **content})
    assert str(error.value).startswith(says)


def test_what_comes_of_a_faulty_key_is_not_told():
    loops = {"x": {"aspect": 0.5, "groups": [{"shar": 1.0}]}}
    with pytest.raises(SweepError) as error:
        read_spec({"generations": 2, "rows": "many", "loops": loops, "grid": {"noise_variance": [-1.0]}})
    places = [line.partition(":")[0] for line in str(error.value).splitlines()]
    assert places == ["rows", "loops.x.groups.0.share", "loops.x.groups.0.shar", "grid.noise_variance"]


def test_not_toml(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("a = [1,")
    with pytest.raises(SweepError, match="not TOML"):
        read_spec(path)


def test_axes_and_tasks(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps({"model": "two-level", "ratio": 4.0}))
    path = tmp_path / "spec.toml"
    path.write_text("""
generations = 2
replicates = 3
[populations.own]
file = "own.json"
[populations.ar]
model = "autoregressive"
correlation = 0.5
[loop]
covariates = "fresh"
[grid]
rows = [20, 40]
penalty = { start = 0.1, stop = 10.0, count = 3, spacing = "log" }
aspect = [0.5, 2.0]
real_weight = { start = 0.0, stop = 1.0, count = 5 }
""")
    plan = read_spec(path)
    assert plan.dims == ("population", "rows", "aspect", "replicate", "real_weight", "penalty", "generation")
    assert plan.shape == (2, 2, 2, 3, 5, 3, 3)
    assert plan.tasks == 24
    np.testing.assert_allclose(plan.inner["penalty"], [0.1, 1.0, 10.0])
    coordinates, replicate = plan.task_of(23)
    assert (coordinates, replicate) == ({"population": "ar", "rows": 40, "aspect": 2.0}, 2)
    engine, setting = settings(plan.point(coordinates), plan.inner)
    assert engine == "redraw"
    assert setting.rows == (40, 40, 40)
    # A model that needs a number of features has aspect x rows.
    assert setting.source.population == fm.Population.autoregressive(0.5, 80)
    assert setting.seed == seed_of(0, coordinates)
    own = population_of(plan.populations["own"], 0.5, 20)
    assert own == fm.Population.two_level(4.0)


def test_tables_of_loops():
    loop = loop_of({"labelled": 0.25, "row_weight": 2.0, "real_weight": 0.5, "aspect": 1.5})
    assert loop == fm.Loop.partially_labelled(aspect=1.5, labelled=0.25, real_weight=0.5, row_weight=(1.0, 2.0))
    kept = {"kept_generations": "all", "forgetting": 0.5, "first_rows": 2.0}
    assert loop_of({"labelled": 0.25, "aspect": 1.5, **kept}) == fm.Loop.partially_labelled(aspect=1.5, labelled=0.25).replace(
        kept_generations=None, forgetting=0.5, first_rows=2.0
    )
    groups = [{"share": 0.5}, {"share": 0.5, "real_weight": 0.0}]
    assert loop_of({"groups": groups}) == fm.Loop(groups=[fm.Group(0.5), fm.Group(0.5, real_weight=0.0)])


def test_seeds_come_from_names_and_values():
    seeds = {seed_of(0, {"aspect": a, "rows": r}) for a in (1, 2, 3) for r in (1, 2, 3)}
    assert len(seeds) == 9
    assert seed_of(0, {"aspect": 2, "rows": 100}) == seed_of(0, {"rows": 100.0, "aspect": 2.0})
    assert seed_of(0, {"aspect": 2}) != seed_of(1, {"aspect": 2})
    assert max(seeds) < 2**53


@pytest.mark.parametrize("shape", [(3, 500, 21, 11), (40, 30, 20, 2, 2), (7, 3), (1000, 100, 3, 21), (2, 2, 10**6, 10)])
def test_chunks_hold_whole_tasks(shape):
    lead = 1 if len(shape) == 2 else 2
    chunks = chunk_shape(shape, lead, 8)
    assert chunks[lead:] == shape[lead:]
    assert all(1 <= c <= size for c, size in zip(chunks, shape, strict=True))
    assert np.prod(chunks) * 8 <= 2**20 or chunks[:lead] == (1,) * lead
    covered = np.zeros(shape[:lead], dtype=int)
    for _, where in regions(shape, chunks):
        covered[where[:lead]] += 1
    assert (covered == 1).all()


def test_blocks_cover_a_longer_grid_once():
    old, new = {"real_weight": (0.2, 1.0), "penalty": (1.0,)}, {"real_weight": (0.2, 0.5, 1.0), "penalty": (0.1, 1.0, 2.0)}
    blocks = more_blocks([old], old, new)
    cells = [(w, p) for block in blocks for w in block["real_weight"] for p in block["penalty"]]
    assert sorted(cells) == sorted((w, p) for w in new["real_weight"] for p in new["penalty"])


def test_longer_lists_of_names_are_no_change():
    one = {"populations": {"a": {"model": "isotropic"}}, "loops": {"": {}}, "grid": {}, "replicates": 2}
    two = {**one, "populations": {**one["populations"], "b": {"model": "isotropic"}}, "replicates": 3}
    assert changes(one, two) == []
    assert changes(two, one) == ["replicates: 3 -> 2, fewer", "populations.b.model: isotropic -> not given"]
    assert changes(one, {**one, "populations": {"": {"model": "isotropic"}}})
