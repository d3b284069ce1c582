"""Data frames, dicts, arrays beside them and files are one table: everything the command line does to a file."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import freshmix as fm
from freshmix.prepared import Prepared, prepare
from freshmix.recommendation.request import Request

N = 60
RNG = np.random.default_rng(7)
COLUMNS: dict[str, Any] = {
    "id": [f"u{i}" for i in range(N)],
    "month": [f"2024-{1 + i // 10:02d}" for i in range(N)],
    "size": np.where(np.arange(N) == 4, np.nan, RNG.normal(size=N)),
    "kind": [("oak", "ash", "elm")[i % 3] for i in range(N)],
    "open": [i % 2 == 0 for i in range(N)],
    "trust": RNG.uniform(1, 3, N),
    "sales": np.where(np.arange(N) == 9, np.nan, RNG.normal(size=N)),
}
ROLES = {"time": "month", "sample_weight": "trust"}
READING = {"drop": ["id"], "drop_missing": True}


def frame() -> pd.DataFrame:
    made = pd.DataFrame(COLUMNS)
    made["kind"] = made["kind"].astype("category")
    return made


def features() -> pd.DataFrame:
    return frame().drop(columns=["month", "trust", "sales"])


def written(folder: Path) -> str:
    path = folder / "t.csv"
    frame().to_csv(path, index=False)
    return str(path)


def aside(name: str) -> Any:
    return frame()[name]


FORMS: dict[str, Any] = {
    "pandas": lambda _: ((frame(), "sales"), ROLES),
    "polars": lambda _: ((pl.DataFrame(COLUMNS), "sales"), ROLES),
    "lazy": lambda _: ((pl.LazyFrame(COLUMNS), "sales"), ROLES),
    "dict": lambda _: ((COLUMNS, "sales"), ROLES),
    "records": lambda _: ((frame().to_dict("records"), "sales"), ROLES),
    "file": lambda folder: ((written(folder), "sales"), ROLES),
    "path": lambda folder: (([Path(written(folder))], "sales"), ROLES),
    "series": lambda _: ((features(), aside("sales")), {"time": aside("month"), "sample_weight": aside("trust")}),
    "arrays": lambda _: (
        (features(), COLUMNS["sales"]),
        {"time": np.array(COLUMNS["month"]), "sample_weight": COLUMNS["trust"].tolist()},
    ),
    "column": lambda _: ((features(), frame()[["sales"]]), {"time": aside("month"), "sample_weight": frame()[["trust"]]}),
    "shuffled": lambda _: (
        (features(), aside("sales").sample(frac=1, random_state=0)),
        {"time": aside("month")[::-1], "sample_weight": aside("trust")},
    ),
    "index": lambda _: ((frame().set_index("month"), "sales"), ROLES),
    "mixed": lambda _: ((frame().drop(columns="month"), "sales"), {"time": aside("month"), "sample_weight": "trust"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_are_one_table(tmp_path: Path, form: str) -> None:
    def made(name: str) -> Prepared:
        table, roles = FORMS[name](tmp_path)
        return prepare(*table, **roles, **READING)

    found, expected = made(form), made("pandas")
    assert set(found.names or ()) == {"size", "kind=ash", "kind=elm", "kind=oak", "open"}
    assert found.names == expected.names
    assert found.notes == expected.notes
    assert np.array_equal(found.stream.steps, expected.stream.steps)
    for one, other in zip(found.rows, expected.rows, strict=True):
        assert np.array_equal(one, other, equal_nan=True)


def test_estimates_and_plans_take_frames_too() -> None:
    reading: dict[str, Any] = {"drop": ["id", "month"], "drop_missing": True, "seed": 1}
    one = fm.estimate(frame(), "sales", sample_weight="trust", **reading)
    other = fm.estimate(features(), aside("sales"), sample_weight=aside("trust"), drop_missing=True, drop="id", seed=1)
    assert one == other
    plan = fm.plan(
        frame(), "sales", cost_per_label=1.0, generations=1, penalty=1.0, row_weight=1.0, time="month",
        drop=["id", "trust"], drop_missing=True,
    )  # fmt: skip
    assert (plan.rows_per_generation, plan.features) == (10, 5)


def test_arrays_with_gaps() -> None:
    X = np.stack([COLUMNS["size"], COLUMNS["trust"]], axis=1)
    with pytest.raises(ValueError, match=r"missing values in column 0 \(1\).*drop_missing=True"):
        prepare(X, COLUMNS["trust"])
    for y in (COLUMNS["sales"], COLUMNS["sales"].tolist()):
        found = prepare(X, y, time=COLUMNS["month"], drop_missing=True)
        assert (found.stream.rows, sorted(found.names or ())) == (N - 1, ["column 0", "column 1"])


@pytest.mark.parametrize(
    ("table", "options", "match"),
    [
        ((COLUMNS, "sale"), {}, "no column 'sale'.*nearest: 'sales'"),
        ((COLUMNS, "sales"), {"drop": "idd"}, "no column 'idd'.*nearest: 'id'"),
        ((COLUMNS, "sales"), {"drop": "sales"}, "drop must not name the target"),
        ((COLUMNS, "sales"), {"sample_weight": "sales"}, "sample_weight must not name the target"),
        ((COLUMNS, "sales"), {"drop": "id"}, r"size \(1\).*impute=.mean.*\(drop_missing=True\)"),
        ((COLUMNS, "sales"), {}, r"id \(60 values.*\(drop=\['COLUMN'\]\)"),
        ((COLUMNS, None), {}, "y must hold the labels or name their column"),
        ((features(), [1.0, 2.0]), {}, "X and y must have as many rows, got 60 and 2"),
        ((features(), frame()[["sales", "size"]]), {}, "y must be one-dimensional, got 2 columns"),
        ((features(), aside("sales")), {"time": 3}, "time must be one-dimensional, got 3"),
        ((features(), aside("sales")[:50].reindex(range(5, 65))), {}, "X and y must have the same index"),
        ((np.eye(60), "sales"), {}, "y must hold a value for each row where X has no column names, got 'sales'"),
        ((np.eye(60), COLUMNS["trust"]), {"time": "month"}, "time must hold a value for each row"),
        (("t.csv", [1, 2]), {}, "y must be the name of the target column where X names files"),
    ],
)
def test_refusals_in_the_words_of_python(table: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises((TypeError, ValueError), match=match):
        prepare(*table, **options)


def asked(**options: Any) -> Request:
    from freshmix.recommendation import DEFAULTS

    return Request.of(DEFAULTS | {"X": COLUMNS, "y": "sales"} | options, DEFAULTS)


def test_the_loop_in_use_in_words() -> None:
    table = prepare(COLUMNS, "sales", drop="id", drop_missing=True)
    words = {"real_weight": 0.4, "row_weight": 0.5, "synthetic_labels": "sampled", "labelled": 0.25}
    expected = fm.Loop.partially_labelled(labelled=0.25, real_weight=0.4, row_weight=(1.0, 0.5))
    assert asked(**words).known(table) == expected
    assert asked(covariates="fresh", synthetic_noise_ratio=0.3).known(table).synthetic_noise_ratio == 0.3


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"loop": fm.Loop(), "labels": "frozen"}, "labels= says what loop says"),
        ({"synthetic_labels": "sampled", "synthetic_noise_ratio": 1.0}, "say the same"),
        ({"synthetic_labels": "drawn"}, "synthetic_labels must be one of predictions, sampled"),
        ({"covariates": "new"}, "covariates must be one of frozen, fresh"),
        ({"row_weight": -1.0}, "row_weight must"),
    ],
)
def test_loops_that_are_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        asked(**options)


def test_what_was_asked_for_is_kept() -> None:
    given = {"time": COLUMNS["month"], "drop": ("id",), "penalty": 0.5, "seed": 0}
    assert asked(**given).options == {"X": True, "y": "sales", "time": True, "drop": ["id"], "penalty": 0.5}
