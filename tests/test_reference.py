"""The reference tables: risk by generation, limits and collapse numbers of 253 loops, and 33 that remember in other ways."""

import json
import math
import pathlib
import warnings

import pytest

import freshmix as fm

from .tolerances import REFERENCE

FILES = ("cases.json", "memory_cases.json")
CASES = [
    case for name in FILES for case in json.loads((pathlib.Path(__file__).parent / "reference" / name).read_text())["cases"]
]


def made(case):
    population = fm.Population(**{key: value for key, value in case["population"].items() if key != "name"})
    spec = dict(case["loop"])
    if "groups" in spec:
        spec["groups"] = [fm.Group(**group) for group in spec["groups"]]
    if isinstance(spec.get("real_weight"), list):
        spec["schedule"] = spec.pop("real_weight")[1:]
    return population, fm.Loop(**spec)


@pytest.mark.parametrize("index", range(len(CASES)))
def test_case(index):
    case = CASES[index]
    population, loop = made(case)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if case["risk"] is not None:
            risks = fm.risk(population, loop, len(case["risk"]) - 1)
            assert risks == pytest.approx(case["risk"], rel=REFERENCE, abs=1e-21)
        if case["limit"] is not None or case["unbounded"]:
            limit = fm.limit(population, loop)
            expected = case["limit"] if case["limit"] is not None else math.inf
            assert limit.risk == pytest.approx(expected, rel=REFERENCE)
            assert (limit.verdict == "diverges") == case["unbounded"]
        if case["collapse_number"] is not None and math.isfinite(case["collapse_number"]):
            assert fm.limit(population, loop).collapse_number == pytest.approx(case["collapse_number"], rel=REFERENCE)
