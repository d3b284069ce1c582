"""The example tables are what examples/README.md says."""

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
