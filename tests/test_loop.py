"""Loop and Group: what they refuse, what they mean; and the front door."""

import copy
import dataclasses
import math
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import freshmix as fm

Group, Loop = fm.Group, fm.Loop

# Each number of a loop: how to give it, its name, values out of range.
NUMBERS = [
    pytest.param(lambda value: Loop(aspect=value), "aspect", [0.0, -1.0], id="aspect"),
    pytest.param(lambda value: Loop(penalty=value), "penalty", [-1e-9], id="penalty"),
    pytest.param(lambda value: Loop(covariates="fresh", real_weight=value), "real_weight", [-0.1, 1.1], id="real_weight"),
    pytest.param(lambda value: Loop(synthetic_noise_ratio=value), "synthetic_noise_ratio", [-0.5], id="noise_ratio"),
    pytest.param(lambda value: Group(value), "share", [-0.1, 1.1], id="share"),
    pytest.param(lambda value: Group(1.0, row_weight=value), "row_weight", [-1.0], id="row_weight"),
    pytest.param(lambda value: Group(1.0, real_weight=value), "real_weight", [], id="group's real_weight"),
    pytest.param(lambda value: Loop.partially_labelled(labelled=value), "labelled", [-0.1, 1.1], id="labelled"),
    pytest.param(
        lambda value: Loop.partially_labelled(labelled=0.5, penalty=value), "penalty", [-1.0], id="partially, penalty"
    ),
]


@pytest.mark.parametrize(("make", "name", "outside"), NUMBERS)
def test_numbers_are_checked(make, name, outside):
    for value in [*outside, math.nan, math.inf, -math.inf]:
        with pytest.raises(ValueError, match=rf"^{name} must be .*, got {re.escape(repr(value))}$"):
            make(value)
    for value in [True, np.True_, "0.5", b"1", [0.5], {}, 1j]:
        with pytest.raises(TypeError, match=rf"^{name} must be .*, got {re.escape(repr(value))}$"):
            make(value)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Loop(covariates="new"), ValueError, "covariates must be one of frozen, fresh, got 'new'"),
        (lambda: Loop(labels=None), ValueError, "labels must be one of fresh, frozen, got None"),
        (lambda: Loop(covariates="fresh", labels="frozen"), ValueError, "labels='frozen' needs covariates='frozen'"),
        (lambda: Loop(real_weight=0.5, schedule=[0.5]), ValueError, "one of .*, got real_weight and schedule"),
        (lambda: Loop(real_weight=0.5, groups=[Group(1.0)]), ValueError, "one of .*, got real_weight and groups"),
        (lambda: Loop(schedule=[0.5], groups=[Group(1.0)]), ValueError, "one of .*, got schedule and groups"),
        (lambda: Loop(schedule=[]), ValueError, r"schedule must .* at least one number, got shape \(0,\)"),
        (
            lambda: Loop(schedule=[0.5, 1.5], covariates="fresh"),
            ValueError,
            r"real_weight must .* between 0 and 1 .*, got 1\.5",
        ),
        (lambda: Loop(label_renewal=0.5, labels="frozen"), ValueError, r"label_renewal must be 0 .*, got 0\.5"),
        (lambda: Loop(label_renewal=0.5, covariates="fresh"), ValueError, "label_renewal=0.5 needs covariates='frozen'"),
        (lambda: Loop(kept_generations=2), ValueError, "kept_generations needs covariates='fresh', got 2"),
        (lambda: Loop(forgetting=0.5), ValueError, r"forgetting needs covariates='fresh', got 0\.5"),
        (lambda: Loop(first_rows=0.5), ValueError, r"first_rows needs covariates='fresh', got 0\.5"),
        (lambda: Loop(anchor=1.5), ValueError, r"anchor must be a number between 0 and 1, got 1\.5"),
        (lambda: Loop(kept_generations=1.5), ValueError, r"kept_generations must be a whole number .*, got 1\.5"),
        (lambda: Loop(schedule=[math.nan]), ValueError, "schedule must hold finite numbers, got .*nan"),
        (lambda: Loop(schedule=["a"]), TypeError, "schedule must be .* numbers, got"),
        (lambda: Loop(groups=[]), ValueError, r"shares of groups must sum to 1, got 0\.0"),
        (lambda: Loop(groups=[Group(0.5), Group(0.4)]), ValueError, r"shares of groups must sum to 1, got 0\.9"),
        (lambda: Loop(groups=[0.5, 0.5]), TypeError, "groups must hold Group objects, got float"),
        (lambda: Loop(groups=[Group(1.0, row_weight=0.0)]), ValueError, "positive share and row_weight, got none"),
        (lambda: Loop.partially_labelled(labelled=0.5, row_weight=[1.0]), ValueError, r"row_weight must hold two .* got 1$"),
        (lambda: Loop.partially_labelled(labelled=0.5, row_weight=(1.0, -2.0)), ValueError, r"row_weight must .*-2\.0"),
        (lambda: Loop.partially_labelled(labelled=0.5, real_weight=2.0), ValueError, r"real_weight must .* got 2\.0"),
        (lambda: Loop.partially_labelled(labelled=0.5, labels="frozen"), ValueError, "labels='frozen' needs"),
        (lambda: Loop(real_weight=0.5).replace(penalty=-1.0), ValueError, r"penalty must .* got -1\.0"),
        (lambda: Loop(2.0), TypeError, "positional"),
        (lambda: Loop().replace(speed=1.0), TypeError, "unexpected keyword argument 'speed'"),
    ],
)
def test_loops_are_checked(make, error, says):
    with pytest.raises(error, match=says):
        make()


# What they mean.


def test_defaults():
    loop = Loop()
    assert (loop.aspect, loop.penalty, loop.groups, loop.schedule) == (None, 0.0, None, None)
    assert (loop.covariates, loop.labels, loop.synthetic_noise_ratio) == ("frozen", "fresh", 1.0)
    assert loop.real_weight is None
    assert loop.labelled == 1.0


def test_numbers_of_any_kind_become_floats():
    loop = Loop(aspect=np.float32(2.0), penalty=np.int64(1), real_weight=1, schedule=None)
    assert [type(value) for value in (loop.aspect, loop.penalty, loop.real_weight)] == [float] * 3
    assert Loop(schedule=(w for w in (1, 0))).schedule == (1.0, 0.0)


@pytest.mark.parametrize(
    ("loop", "real_weight", "labelled"),
    [
        (Loop(real_weight=0.0), 0.0, 1.0),
        (Loop(real_weight=0.3), 0.3, 1.0),
        (Loop(schedule=[0.3, 0.3]), None, 1.0),
        (Loop(groups=[Group(0.25, 2.0, 0.4), Group(0.75, 1.0, 0.4)]), 0.4, 1.0),
        (Loop(groups=[Group(0.25, 2.0, 0.4), Group(0.75, 1.0, 0.0)]), None, 0.25),
    ],
)
def test_shared_weight_and_labelled_share(loop, real_weight, labelled):
    assert loop.real_weight == real_weight
    assert loop.labelled == pytest.approx(labelled)


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        (Loop(real_weight=0.4), [0.4] * 4),
        (Loop(schedule=[0.5, 0.2]), [0.5, 0.2, 0.2, 0.2]),
        (Loop(schedule=[0.9, 0.8, 0.7, 0.6, 0.5]), [0.9, 0.8, 0.7, 0.6]),
    ],
)
def test_weights(loop, expected):
    assert loop.weights(4).tolist() == expected
    assert loop.weights(0).tolist() == []


@pytest.mark.parametrize("loop", [Loop(), Loop.partially_labelled(labelled=0.5)])
def test_no_shared_weights(loop):
    with pytest.raises(ValueError, match="needs a real_weight or a schedule that all rows share, got neither"):
        loop.weights(3)


@pytest.mark.parametrize("labelled", [0.3, 0.999, 1e-12])
def test_partially_labelled(labelled):
    loop = Loop.partially_labelled(
        aspect=1.5, labelled=labelled, real_weight=0.8, penalty=0.1, row_weight=(2.0, 0.5), synthetic_noise_ratio=0.2
    )
    same = Loop(
        aspect=1.5,
        penalty=0.1,
        covariates="fresh",
        synthetic_noise_ratio=0.2,
        groups=[Group(labelled, 2.0, 0.8), Group(1 - labelled, 0.5, 0.0)],
    )
    assert loop == same
    assert loop.labelled == labelled


@pytest.mark.parametrize(("labelled", "group"), [(1.0, Group(1.0, 2.0, 0.8)), (0.0, Group(1.0, 3.0, 0.0))])
def test_partially_labelled_at_the_ends_has_one_group(labelled, group):
    loop = Loop.partially_labelled(labelled=labelled, real_weight=0.8, row_weight=(2.0, 3.0))
    assert loop.groups == (group,)


WAYS = {"real_weight": 0.25, "schedule": (0.5, 0.25), "groups": (Group(0.5), Group(0.5, 2.0, 0.0))}


@pytest.mark.parametrize("old", WAYS)
@pytest.mark.parametrize("new", WAYS)
def test_replace_swaps_one_way_of_giving_weights_for_another(old, new):
    rest = {"aspect": 2.0, "penalty": 0.1, "covariates": "fresh", "synthetic_noise_ratio": 0.3}
    before = Loop(**rest, **{old: WAYS[old]})
    after = before.replace(**{new: WAYS[new]})
    assert after == Loop(**rest, **{new: WAYS[new]})
    assert before == Loop(**rest, **{old: WAYS[old]})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "value"), [("aspect", None), ("penalty", 3.0), ("synthetic_noise_ratio", 0.0)])
def test_replace_keeps_the_weights(way, name, value):
    before = Loop(aspect=2.0, **{way: WAYS[way]})
    after = before.replace(**{name: value})
    assert getattr(after, name) == value
    assert getattr(after, way) == getattr(before, way)
    assert after.replace(**{name: getattr(before, name)}) == before


@pytest.mark.parametrize("twin", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy, Loop.replace])
@pytest.mark.parametrize("way", WAYS)
def test_equality_hash_and_pickling(way, twin):
    loop = Loop(aspect=2.0, **{way: WAYS[way]})
    other = twin(loop)
    assert other == loop
    assert hash(other) == hash(loop)
    assert other != loop.replace(penalty=1.0)
    assert other != "a loop"


def test_loops_and_groups_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Loop().penalty = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        Group(1.0).share = 0.5


# The front door.


ROOMS = sorted(path.parent.name for path in Path(fm.__file__).parent.glob("*/__init__.py"))


@pytest.mark.parametrize("room", [pytest.param(room, marks=() if room == "risks" else pytest.mark.slow) for room in ROOMS])
def test_a_room_and_a_public_name_are_never_the_same(room):
    # Whatever was imported before, both ways to a module reach it.
    check = f"import freshmix.{room} as one; from freshmix import {room} as two; assert one is two"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_every_public_name_exists():
    assert not set(ROOMS) & set(fm.__all__)
    assert [name for name in fm.__all__ if not callable(getattr(fm, name))] == []
    assert sorted(fm.__all__) == dir(fm)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attribute loops"):
        fm.loops  # noqa: B018
