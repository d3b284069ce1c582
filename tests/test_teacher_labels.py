"""A teacher's labels beside the real ones of a table: what is said of them, and whether it is right."""

import json

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import freshmix as fm
from freshmix.estimation import Seen, TeacherEstimate
from freshmix.replays.taught import Taught, TaughtCheck
from freshmix.tables import open_table

from . import tolerances
from .test_cli import failure, invoke

ROWS, FEATURES, LABELLED = 500, 30, 120


def table(kind, seed=0, labelled=LABELLED):
    """A data frame whose teacher is of that kind; real labels in the first rows only."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((ROWS, FEATURES))
    beta, other = rng.standard_normal((2, FEATURES)) / np.sqrt(FEATURES)
    signal = X @ beta
    y = signal + rng.standard_normal(ROWS)
    real = np.arange(ROWS) < labelled
    teachers = {
        "good": lambda: 2 + signal + 0.3 * (X @ other) + 0.3 * rng.standard_normal(ROWS),
        "useless": lambda: 5 * (X @ other) + 5 * rng.standard_normal(ROWS),
        "least squares": lambda: LinearRegression().fit(X[real], y[real]).predict(X),
        "forest": lambda: RandomForestRegressor(30, random_state=0).fit(X[real], y[real]).predict(X),
        "copy": lambda: np.where(real, 1 + 2 * y, signal),
    }
    columns = {f"x{i}": column for i, column in enumerate(X.T)}
    return {**columns, "y": np.where(real, y, np.nan), "teacher": teachers[kind]()}


@pytest.fixture(scope="module")
def good():
    return fm.recommend(table("good"), "y", predictions="teacher", generations=2)


def test_a_good_teacher_helps(good):
    taught = good.teaching
    assert taught.verdict == "helps"
    assert taught.used
    assert taught.rows == {"both": LABELLED, "real": 0, "teacher": ROWS - LABELLED, "neither": 0}
    assert 0 < taught.real_weight < 1
    assert taught.row_weight > 0
    assert taught.difference_interval[0] <= taught.difference <= taught.difference_interval[1] < 0
    assert taught.prediction_error == taught.ways["with_teacher"]["prediction_error"]
    assert taught.prediction_error < taught.ways["real_only"]["prediction_error"]
    assert taught.alpha == pytest.approx(taught.penalty * ROWS)
    assert taught.check.difference < 0
    assert taught.intervals["offset"][0] < 2 < taught.intervals["offset"][1]
    assert taught.tolerable > 1
    assert taught.most_bias == taught.tolerable * taught.bias
    assert taught.to_frame().index.tolist() == ["with_teacher", "real_only", "teacher_alone"]
    assert good.to_dict()["teaching"]["verdict"] == "helps"


def test_the_teacher_is_one_of_the_ways(good):
    way, taught = good.rivals["taught"], good.teaching
    assert way["stored"] == "nothing"
    assert (way["real_weight"], way["row_weight"]) == (taught.real_weight, taught.row_weight)
    assert way["alpha"] == pytest.approx(taught.alpha, rel=1e-12)
    ratio = taught.risk / taught.ways["real_only"]["risk"]
    assert way["risk"] == pytest.approx(good.rivals["real_only"]["risk"] * ratio, rel=1e-12)
    assert good.best == min(good.rivals, key=lambda name: good.rivals[name]["prediction_error"])
    assert good.rivals[good.best]["difference"] == 0
    assert "taught" in good.to_frame().index
    assert good.code("taught") == taught.code()


def test_what_is_said_first_can_be_typed_in(good):
    said = str(good)
    assert said.index("use them") < said.index("Best")
    assert f"{good.teaching.row_weight:.3g}" in said
    given = table("good")
    X = np.column_stack([given[f"x{i}"] for i in range(FEATURES)])
    y, teacher = given["y"], given["teacher"]
    here = {"X": X, "y": y, "teacher": teacher}
    exec(good.teaching.code(), here)
    real, w = np.isfinite(y), good.teaching.real_weight
    told = teacher - np.mean((teacher - y)[real])
    label = np.where(real, w * y + (1 - w) * told, told)
    weight = np.where(real, 1.0, good.teaching.row_weight)
    mine = make_pipeline(StandardScaler(), Ridge(good.teaching.alpha)).fit(X, label, ridge__sample_weight=weight)
    np.testing.assert_allclose(here["model"].predict(X), mine.predict(X), rtol=2e-3, atol=2e-3)


@pytest.mark.slow
def test_a_teachers_column_is_no_feature(good):
    given = table("good")
    without = {name: column for name, column in given.items() if name != "teacher"}
    plain = fm.recommend(without, "y", generations=2)
    assert plain.teaching is None
    assert (good.features, good.rows) == (FEATURES, ROWS)
    np.testing.assert_allclose(good.population.signal, plain.population.signal, rtol=1e-9)
    np.testing.assert_allclose(good.prediction_error, plain.prediction_error, rtol=1e-9)
    same = fm.recommend(without, "y", predictions=given["teacher"], generations=2)
    assert same.teaching.to_dict() == good.teaching.to_dict()


@pytest.mark.slow
def test_a_table_is_the_same_in_another_order_and_with_other_signs(good):
    given = table("good")
    order = np.random.default_rng(1).permutation(ROWS)
    turned = {name: -column[order] if name in ("y", "teacher", "x3") else column[order] for name, column in given.items()}
    found = fm.recommend(turned, "y", predictions="teacher", generations=2).teaching
    one, two = good.teaching.to_dict(), found.to_dict()
    assert two["offset"] == pytest.approx(-one["offset"], rel=1e-9)
    for key in ("real_weight", "row_weight", "penalty", "risk", "difference", "bias", "tolerable", "gain"):
        assert two[key] == pytest.approx(one[key], rel=1e-6), key
    assert two["check"]["difference"] == pytest.approx(one["check"]["difference"], rel=1e-6)


@pytest.mark.slow
def test_a_useless_teacher_is_left_out():
    found = fm.recommend(table("useless"), "y", predictions="teacher", generations=2)
    taught = found.teaching
    assert taught.verdict in ("no use", "may help")
    assert taught.risk > 0.9 * taught.ways["real_only"]["risk"]
    if taught.verdict == "no use":
        assert (taught.real_weight, taught.row_weight) == (1.0, 0.0)
        assert taught.alpha == taught.ways["real_only"]["alpha"]
        assert "taught" not in found.rivals
        assert "leave them out" in str(found)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "why"), [("least squares", "hardly at all"), ("forest", "where there is a real label")])
def test_a_teacher_that_has_seen_the_labels_is_found_out(kind, why):
    found = fm.recommend(table(kind), "y", predictions="teacher", generations=2)
    assert found.teaching.verdict == "has seen the labels"
    assert not found.teaching.used
    assert "taught" not in found.rivals
    assert why in " ".join(str(found).split())
    assert "np.isfinite(y)" in found.teaching.code()


@pytest.mark.parametrize("folds", [0, 5])
def test_a_teacher_that_has_not_is_not_accused(folds):
    """Of 300 teachers who never saw the labels, none; of those fitted by least squares, nearly all."""
    accused = 0
    for seed in range(300):
        rng = np.random.default_rng([seed, folds])
        X = rng.standard_normal((80, 5))
        y = X[:, 0] + rng.standard_t(5, 80)
        said = X[:, 0] + 0.5 * X[:, 1] ** 2 if not folds else LinearRegression().fit(X, y).predict(X)
        accused += Seen.of(X, y, said, X[:0], said[:0]).sign is not None
    assert accused == (300 if folds else 0)


def test_the_check_is_that_of_scikit_learn():
    """Each row held out in turn, fitted by Ridge itself."""
    given = table("good")
    X = np.column_stack([given[f"x{i}"] for i in range(FEATURES)])
    y, said = given["y"].copy(), given["teacher"].copy()
    said[:10], said[-20:] = np.nan, np.nan
    taught, real = Taught(0.4, 0.6, 0.1), Taught(1.0, 0.0, 0.2)
    found = TaughtCheck.of(X, y, said, taught, real, np.random.default_rng(0))
    rng, both = np.random.default_rng(0), np.flatnonzero(np.isfinite(y) & np.isfinite(said))
    errors = np.zeros((3, both.size))
    for _ in range(8):
        fold = rng.permutation(both.size) % 5
        for k in range(5):
            held, rest = both[fold == k], np.setdiff1d(np.arange(ROWS), both[fold == k])
            offset = np.mean((said - y)[both[fold != k]])
            known, told = np.isfinite(y[rest]), np.isfinite(said[rest])
            label = np.where(known, y[rest], said[rest] - offset)
            label[known & told] = (0.4 * y[rest] + 0.6 * (said[rest] - offset))[known & told]
            fit = known | told
            one = Ridge(0.1 * fit.sum()).fit(X[rest][fit], label[fit], np.where(known, 1.0, 0.6)[fit])
            two = Ridge(0.2 * known.sum()).fit(X[rest][known], y[rest][known])
            for place, guess in enumerate((one.predict(X[held]), two.predict(X[held]), said[held] - offset)):
                errors[place, fold == k] += (guess - y[held]) ** 2 / 8
    np.testing.assert_allclose([found.with_teacher, found.real_only, found.teacher_alone], errors.mean(axis=1), rtol=1e-9)
    assert (found.rows, found.labels) == (both.size, round(LABELLED - both.size / 5))
    apart = errors[0] - errors[1]
    assert found.standard_error == pytest.approx(apart.std(ddof=1) / np.sqrt(both.size))


def test_draws_of_coefficients_are_those_of_a_posterior():
    """Against the textbook's posterior of both models' coefficients, with energies and noises known."""
    from freshmix.estimation.taught import _coefficients

    rng = np.random.default_rng(0)
    s, seen = np.array([3.0, 0.5, 0.0]), np.array([[2.0, -1.0, 0.0], [1.0, 0.3, 0.0]])
    P, N = np.array([[1.0, 0.6], [0.6, 0.5]]), np.array([[1.2, 0.3], [0.3, 0.4]])
    drawn = np.array(
        [_coefficients(s, seen, (np.ones(3), np.full(3, 0.6), np.full(3, 0.5)), (1.2, 0.3, 0.4), rng) for _ in range(40_000)]
    )
    for i in range(3):
        precision = np.linalg.inv(P) + s[i] ** 2 * np.linalg.inv(N)
        covariance = np.linalg.inv(precision)
        mean = covariance @ np.linalg.inv(N) @ (s[i] * seen[:, i])
        z = (drawn[:, :, i].mean(axis=0) - mean) / np.sqrt(np.diag(covariance) / len(drawn))
        assert np.abs(z).max() < tolerances.largest_z(6)
        np.testing.assert_allclose(np.cov(drawn[:, :, i].T), covariance, atol=0.03)


def test_a_linear_teacher_keeps_its_strength():
    """Its labels have no noise at all."""
    given = table("good")
    X = np.column_stack([given[f"x{i}"] for i in range(FEATURES)])[:LABELLED]
    y, said = given["y"][:LABELLED], X @ np.ones(FEATURES)
    found = TeacherEstimate.of(X, y, said, 0)
    assert found.taught.null_risk == pytest.approx(said.var(ddof=1), rel=0.15)
    assert found.teacher.noise_variance < 1e-6


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("good", {"predictions": "none"}, "has no column 'none'"),
        ("good", {"predictions": "y"}, "predictions must not name the target 'y'"),
        ("good", {"predictions": "x1", "time": "x1"}, "predictions must not name the column of time, 'x1'"),
        ("good", {"predictions": "teacher", "kernel": "rbf"}, "kernel must be linear beside predictions, got 'rbf'"),
        ("good", {"predictions": "teacher", "penalty": 0.1}, "penalty must be auto beside predictions, got 0.1"),
        ("good", {"predictions": "teacher", "sample_weight": "x1"}, "sample_weight must be left out beside predictions"),
        ("good", {"predictions": "teacher", "covariates": "frozen"}, "predictions needs a loop with covariates='fresh'"),
        ("good", {"predictions": "teacher", "drop": "teacher"}, "has no column 'teacher'"),
        ("copy", {"predictions": "teacher"}, "predictions must not be the real labels"),
    ],
)
def test_what_cannot_be_used(kind, options, message):
    with pytest.raises(ValueError, match=message):
        fm.recommend(table(kind), "y", **options)


def test_a_table_that_holds_predictions_is_held_to_the_same():
    """Read beforehand, with weights that a teacher cannot be judged by."""
    given = table("good") | {"n": 1.0 + np.arange(ROWS) % 3}
    read = open_table(given, "y", predictions="teacher", sample_weight="n")
    with pytest.raises(ValueError, match="sample_weight must be left out beside predictions"):
        fm.recommend(read)
    read = open_table(given, "y", predictions="teacher", drop="n")
    with pytest.raises(ValueError, match="penalty must be auto beside predictions"):
        fm.recommend(read, penalty=1.0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["high", "low"] * (ROWS // 2), "the predictions 'teacher' must be numeric, got text such as 'high', 'low'"),
        ([None] * ROWS, "the predictions 'teacher' must be numbers, got an empty column"),
        (
            [None] * (LABELLED - 5) + [1.0, 2.0] * ((ROWS - LABELLED + 5) // 2) + [1.0],
            "at least 10 rows with a real label, got 5",
        ),
        ([1.5] * ROWS, "predictions must vary, got 1.5 in all 120 rows with a real label"),
        ([float("inf")] + [1.0, 2.0] * 249 + [1.0], "predictions must be numbers of at most"),
    ],
)
def test_columns_that_are_no_predictions(values, message):
    given = pl.DataFrame(table("good")).with_columns(pl.Series("teacher", values, strict=False))
    with pytest.raises(ValueError, match=message):
        fm.recommend(given, "y", predictions="teacher")


def test_arrays_of_the_wrong_kind():
    given = table("good")
    X = np.column_stack([given[f"x{i}"] for i in range(FEATURES)])
    with pytest.raises(ValueError, match="one number for each of the 500 rows, got shape"):
        fm.recommend(X, given["y"], predictions=given["teacher"][:-1])
    with pytest.raises(TypeError, match="predictions must hold a number for each row"):
        fm.recommend(X, given["y"], predictions=["a"] * ROWS)
    with pytest.raises(TypeError, match="predictions must hold a value for each row where X has no column names"):
        fm.recommend(X, given["y"], predictions="teacher")


@pytest.mark.slow
def test_classes_in_words():
    """A teacher may name the classes of the target."""
    given = table("good")
    words = {name: given[name] for name in ("x0", "x1", "x2")}
    real = np.isfinite(given["y"])
    rng = np.random.default_rng(0)
    words["y"] = [("yes" if value > 0 else "no") if known else None for value, known in zip(given["y"], real, strict=True)]
    words["teacher"] = ["yes" if value > 0 else "no" for value in given["x0"] + rng.standard_normal(ROWS)]
    numbers = words | {
        "y": [None if value is None else float(value == "yes") for value in words["y"]],
        "teacher": [float(value == "yes") for value in words["teacher"]],
    }
    one, two = (fm.recommend(each, "y", predictions="teacher", generations=1).teaching for each in (words, numbers))
    assert one.to_dict() == two.to_dict()


@pytest.mark.slow
def test_the_command_line(tmp_path, capsys, good):
    file = tmp_path / "table.csv"
    pl.DataFrame(table("good")).fill_nan(None).write_csv(file)
    options = ("--target", "y", "--predictions", "teacher", "--generations", "2")
    told = json.loads(invoke("recommend", file, *options, "--json"))
    assert told["teaching"]["verdict"] == "helps"
    assert told["teaching"]["real_weight"] == pytest.approx(good.teaching.real_weight, rel=1e-9)
    page = tmp_path / "page.html"
    assert "The teacher's labels" in invoke("recommend", file, *options, "--report", page)
    assert "sample_weight (row weight)" in page.read_text()
    assert "has no column 'techer'" in failure(capsys, "recommend", file, "--target", "y", "--predictions", "techer")


@pytest.mark.slow
def test_months_have_a_section_and_no_rival():
    given = table("good") | {"month": np.arange(ROWS) % 5}
    found = fm.recommend(given, "y", predictions="teacher", time="month", generations=2)
    assert found.teaching.fitted == ROWS // 5
    assert "taught" not in found.rivals
    assert any("drifted" in warning for warning in found.teaching.warnings)


def test_rows_with_neither_label_are_left_out():
    given = table("good")
    given["teacher"][LABELLED : LABELLED + 100] = np.nan
    given["teacher"][:20] = np.nan
    found = fm.recommend(given, "y", predictions="teacher", generations=2)
    taught = found.teaching
    assert taught.rows == {"both": LABELLED - 20, "real": 20, "teacher": ROWS - LABELLED - 100, "neither": 100}
    assert taught.fitted == pytest.approx(ROWS - 100)
    assert taught.alpha == pytest.approx(taught.penalty * taught.fitted)
    assert found.rivals["taught"]["alpha"] == pytest.approx(taught.alpha, rel=1e-9)
