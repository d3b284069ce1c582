"""fm.replay and fm.find_weight: any model in the loop on real rows, against theory, plain loops and each other."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import freshmix as fm
from freshmix import plots
from freshmix.cli import main
from freshmix.estimators import best_weight
from freshmix.replays.learners import AnyModel
from freshmix.replays.repeats import Repeats

from . import tolerances


def table(n=300, p=5, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X @ np.ones(p) / np.sqrt(p) + noise * rng.standard_normal(n)


def classes(n=400, seed=0):
    X, y = table(n, 4, seed, 0.5)
    return X, np.where(y > 0, "yes", "no")


@pytest.mark.parametrize(("weight", "labelled"), [(0.6, 1.0), (0.3, 1.0), (1.0, 0.5)])
def test_ridge_agrees_with_theory(weight, labelled):
    """Z-scores of prediction errors over independent gaussian tables."""
    n, p, penalty, T = 120, 48, 0.3, 3
    errors = []
    for seed in range(40):
        X, y = table(n * (T + 1) + 300, p, seed)
        share = 300 / len(y)
        found = fm.replay(
            Ridge(penalty * n, fit_intercept=False), X, y, real_weight=weight, generations=T, labelled=labelled,
            rows_per_generation=n, test_share=share, repeats=1, seed=seed,
        )  # fmt: skip
        errors.append(found.squared_error.to_numpy()[0, 0])
    errors = np.array(errors)
    groups = (
        [fm.Group(labelled, 1.0, weight), fm.Group(1 - labelled, 1.0, 0.0)] if labelled < 1 else [fm.Group(1.0, 1.0, weight)]
    )
    loop = fm.Loop(aspect=p / n, penalty=penalty, covariates="fresh", synthetic_noise_ratio=0.0, groups=groups)
    expected = fm.risk(fm.Population.isotropic(1.0, 1.0), loop, T) + 1
    z = (errors.mean(axis=0) - expected) / (errors.std(axis=0, ddof=1) / np.sqrt(len(errors)))
    assert np.abs(z).max() < tolerances.largest_z(3 * z.size)


def test_rows_twice_are_mixed_labels():
    """Two copies of a row with weights w and 1 - w, for a squared loss (mathematics.md section 9)."""
    X, y = table()
    both = [
        fm.replay(Ridge(2.0), X, y, real_weight=[0.4, 0.8], mixing=mixing, generations=4, labelled=0.5, repeats=2)
        for mixing in ("labels", "rows")
    ]
    np.testing.assert_allclose(both[0].squared_error, both[1].squared_error, rtol=1e-9)


def test_a_coin_for_each_row_is_right_on_average():
    X, y = table(3000)
    draws, labels = (
        fm.replay(LinearRegression(), X, y, real_weight=0.5, mixing=mixing, generations=1, repeats=40).squared_error[:, 0, 1]
        for mixing in ("draws", "labels")
    )
    # A row's label is noisier with a coin; its mean is the mix.
    apart = (draws - labels).to_numpy()
    assert 0 < apart.mean() < 0.01


def test_an_offset_is_an_anchor_for_ridge():
    X, y = table()
    found = fm.replay(Ridge(30.0), X, y, real_weight=0.5, anchor=0.7, generations=4, repeats=1, labelled=0.5)
    runs = plan_of(Ridge(30.0), X, y, real_weight=0.5, anchor=0.7, generations=4, labelled=0.5)
    rng = np.random.default_rng([0, 0])
    test, rows = runs._split(rng)
    model = fm.MixedRidge(30.0, real_weight=0.5, anchor=0.7)
    errors = []
    for turn in runs._turns(rows, test, rng):
        model.partial_fit(X[turn.rows], turn.real)
        errors.append(np.mean((model.predict(X[test]) - y[test]) ** 2))
    np.testing.assert_allclose(found.squared_error[0, 0], errors, rtol=1e-9)
    assert found.attrs["anchoring"] == "offset"


def plan_of(model, X, y, **options):
    """The repeats that ``replay`` runs with these options."""
    kept = []
    original = Repeats.check
    try:
        Repeats.check = lambda self: (kept.append(self), original(self))[1]
        fm.replay(model, X, y, repeats=1, **options)
    finally:
        Repeats.check = original
    return kept[0]


@pytest.mark.parametrize("workflow", ["accumulate", "kept"])
def test_rows_of_earlier_generations(workflow):
    """Accumulated rows keep the labels that they had; kept rows are real ones, forgotten by age."""
    X, y = table()
    options = {"workflow": "accumulate"} if workflow == "accumulate" else {"kept_generations": 2, "forgetting": 0.5}
    options |= {"real_weight": 0.5, "generations": 4, "labelled": 0.5}
    found = fm.replay(Ridge(2.0), X, y, repeats=1, **options)
    runs = plan_of(Ridge(2.0), X, y, **options)
    rng = np.random.default_rng([0, 0])
    test, rows = runs._split(rng)
    model, past, errors = None, [], []
    for turn in runs._turns(rows, test, rng):
        known = np.isfinite(turn.real)
        guess = 0 if model is None else model.predict(X[turn.rows])
        labels = turn.real if model is None else np.where(known, 0.5 * turn.real + 0.5 * guess, guess)
        fit = [(turn.rows, labels, np.ones(len(labels))), *past]
        index, values, weights = (np.concatenate(each) for each in zip(*fit, strict=True))
        model = Ridge(2.0).fit(X[index], values, sample_weight=weights)
        errors.append(np.mean((model.predict(X[test]) - y[test]) ** 2))
        if workflow == "accumulate":
            past = fit
        else:
            past = [(i, v, 0.5 * a) for i, v, a in [(turn.rows[known], turn.real[known], np.ones(known.sum())), *past]][:2]
    np.testing.assert_allclose(found.squared_error[0, 0], errors, rtol=1e-9)


def test_subsampled_rows_are_as_many_as_new_ones():
    X, y = table()
    runs = plan_of(
        DecisionTreeRegressor(), X, y, workflow="accumulate-subsample", generations=3, mixing="labels", real_weight=0.5
    )
    rng = np.random.default_rng(0)
    test, rows = runs._split(rng)
    sizes, model = [], None
    for turn in runs._turns(rows, test, rng):
        _, labels, _ = turn.training(X, model, None)
        model = AnyModel(Ridge()).fit(X[turn.rows], y[turn.rows])
        sizes.append(len(labels))
    assert sizes == [runs.size] * 4


def test_rows_that_judge_are_never_fitted():
    X, y = table()
    runs = plan_of(Ridge(), X, y, generations=6, rows_per_generation=100)
    for repeat in range(5):
        test, rows = runs._split(np.random.default_rng(repeat))
        assert not np.isin(np.concatenate(rows), test).any()
        assert all(np.unique(each).size == 100 for each in rows)
    assert fm.replay(Ridge(), X, y, generations=6, rows_per_generation=100, repeats=1).attrs["rows_come_again"] == 1


@pytest.mark.parametrize(
    ("model", "mixing"),
    [
        (LogisticRegression(), "rows"),
        (GaussianNB(), "rows"),
        (KNeighborsClassifier(), "draws"),
        (make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=3)), "rows"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"synthetic_labels": "sampled"}, {"threshold": 0.8, "labelled": 0.3}])
def test_classifiers(model, mixing, options):
    X, y = classes()
    frame = pd.DataFrame(X, columns=list("abcd"))
    found = fm.replay(model, frame, y, real_weight=[0.5, 1.0], generations=2, repeats=2, **options)
    assert found.attrs["mixing"] == mixing
    assert set(found.data_vars) == {"accuracy", "log_loss"}
    assert float(found.accuracy.mean()) > 0.55
    assert np.isfinite(found.log_loss).all()


def test_soft_labels_are_rows_of_each_class():
    """One generation of soft labels by hand, with a threshold."""
    X, y = classes(300)
    y = np.where(X[:, 1] > 1, "maybe", y)
    options = {"synthetic_labels": "probabilities", "labelled": 0.4, "threshold": 0.5, "generations": 1, "row_weight": 0.5}
    found = fm.replay(LogisticRegression(), X, y, real_weight=0.3, repeats=1, **options)
    runs = plan_of(LogisticRegression(), X, y, **options)
    rng = np.random.default_rng([0, 0])
    test, rows = runs._split(rng)
    real = runs._turns(rows, test, rng)[1].real
    before = LogisticRegression().fit(X[rows[0]], y[rows[0]])
    chances, fit = before.predict_proba(X[rows[1]]), []
    for place, (row, label, chance) in enumerate(zip(rows[1], real, chances, strict=True)):
        known = np.isfinite(label)
        fit += [(row, y[row], 0.3)] if known else []
        counts = 0.7 if known else 0.5 if chance.max() >= 0.5 else 0.0
        fit += [(row, name, counts * chances[place, k]) for k, name in enumerate(before.classes_)]
    index, names, weights = (np.array(column) for column in zip(*fit, strict=True))
    after = LogisticRegression().fit(X[index], names, sample_weight=weights)
    assert after.score(X[test], y[test]) == found.accuracy[0, 0, 1]
    assert log_loss(y[test], after.predict_proba(X[test])) == pytest.approx(float(found.log_loss[0, 0, 1]), rel=1e-6)


@pytest.mark.parametrize(
    "model", [GradientBoostingRegressor(n_estimators=5, max_depth=1), GradientBoostingClassifier(n_estimators=5, max_depth=1)]
)
def test_boosting_goes_on_the_same_by_warm_start_and_by_init(model):
    X, y = classes() if hasattr(model, "predict_proba") else table()
    options = {"real_weight": [0.5, 1.0], "generations": 3, "repeats": 2}
    warm, init = (fm.replay(model, X, y, anchoring=name, **options) for name in ("warm_start", "init"))
    assert (warm.attrs["anchoring"], init.attrs["anchoring"]) == ("warm_start", "init")
    for name in warm.data_vars:
        np.testing.assert_allclose(warm[name], init[name], rtol=1e-6)
    alone = fm.replay(model, X, y, **options)
    measure = "log_loss" if "log_loss" in warm else "squared_error"
    assert float(warm[measure][..., -1].mean()) < float(alone[measure][..., -1].mean())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(10,), max_iter=10, learning_rate_init=0.01)),
        HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=5),
        RandomForestRegressor(2),
    ],
)
def test_a_warm_start_goes_on(model):
    """On the same rows, with real labels, ten generations of few steps are one fit of many."""
    X, y = table(noise=0.2)
    options = {"real_weight": 1.0, "generations": 9, "covariates": "frozen", "repeats": 2}
    warm = fm.replay(model, X, y, anchoring="warm_start", **options).squared_error.mean("repeat")[0].to_numpy()
    cold = fm.replay(model, X, y, **options).squared_error.mean("repeat")[0].to_numpy()
    assert warm[0] == cold[0]
    assert warm[-1] < 0.9 * cold.mean()


def test_sampled_classes_have_their_probabilities():
    X, y = classes(4000)
    y = np.where(X[:, 1] > 1, "maybe", y)
    runs = plan_of(LogisticRegression(), X, y, synthetic_labels="sampled", generations=1)
    rng = np.random.default_rng(0)
    test, rows = runs._split(rng)
    first, second = runs._turns(rows, test, rng)
    model = first.fitted(None, X[first.rows], first.real, 1.0)
    drawn, _ = second._synthetic(X[second.rows], model)
    chances = model.probabilities(X[second.rows])
    share = np.array([np.mean(drawn == k) for k in range(3)])
    error = np.sqrt((chances * (1 - chances)).sum(axis=0)) / len(drawn)
    assert np.all(np.abs(share - chances.mean(axis=0)) < 4 * error)


def test_a_class_may_die_out():
    X, y = classes(200)
    y = np.where(np.arange(200) % 50 == 0, "rare", "usual")
    found = fm.replay(GaussianNB(), X, y, real_weight=0.0, generations=3, repeats=4, synthetic_labels="sampled")
    assert np.isfinite(found.log_loss).all()


@pytest.mark.slow
def test_any_number_of_workers_and_any_split_of_repeats():
    X, y = table(120)
    options = {"generations": 2, "real_weight": [0.5, 1.0]}
    model = DecisionTreeRegressor(max_features=1)
    whole = fm.replay(model, X, y, repeats=4, **options)
    parts = [fm.replay(model, X, y, repeats=2, first_repeat=start, **options) for start in (0, 2)]
    assert np.array_equal(whole.squared_error, np.concatenate([part.squared_error for part in parts]))
    assert np.array_equal(whole.squared_error, fm.replay(model, X, y, repeats=4, workers=2, **options).squared_error)


def test_rows_without_labels_are_synthetic_only():
    X, y = table()
    y[::2] = np.nan
    found = fm.replay(Ridge(), X, y, generations=2, repeats=2)
    assert np.isfinite(found.squared_error).all()
    assert found.attrs["test_rows"] == round(0.25 * 150)
    # The first generation does not take all real labels: later ones have some for a real weight to act on.
    assert float(found.squared_error.isel(generation=2).std("real_weight").min()) > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": StandardScaler()}, "estimator must be a regressor or a classifier"),
        ({"y": np.ones((300, 2))}, "y must be one label for each row"),
        ({"y": ["a"] * 300}, "y must hold numbers for a regressor"),
        ({"X": np.ones((3, 2))}, "X must hold a row for each of the 300 labels"),
        ({"real_weight": 1.5}, "real_weight must be numbers between 0 and 1"),
        ({"generations": 0}, "generations must be"),
        ({"generations": 1000}, "rows_per_generation must be 2 to"),
        ({"rows_per_generation": 1000}, "rows_per_generation must be 2 to 225"),
        ({"labelled": 2}, "labelled must be"),
        ({"mixing": "labels", "estimator": GaussianNB(), "y": np.arange(300) % 2}, "mixing must be rows or draws"),
        ({"anchor": 0.5, "estimator": GaussianNB(), "y": np.arange(300) % 2}, "anchor needs a regressor"),
        ({"threshold": 0.5}, "threshold needs a classifier"),
        ({"anchoring": "init"}, "anchoring must be a setting of the estimator"),
        ({"anchoring": "warm_start", "anchor": 0.5}, "anchor must be left out"),
        ({"synthetic_labels": "probabilities"}, "needs a classifier with predict_proba"),
        (
            {"synthetic_labels": "probabilities", "estimator": KNeighborsClassifier(), "y": np.arange(300) % 2},
            "needs mixing='rows'",
        ),
        ({"mixing": "rows", "estimator": KNeighborsClassifier(), "y": np.arange(300) % 2}, "takes sample_weight"),
        ({"workflow": "append"}, "workflow must be one of"),
        ({"test_share": 0.001}, "test_share must leave two"),
    ],
)
def test_wrong_input(options, message):
    X, y = table()
    arguments = {"estimator": Ridge(), "X": X, "y": y} | options
    with pytest.raises((TypeError, ValueError), match=message):
        fm.replay(**arguments)


@pytest.fixture
def rows(tmp_path):
    X, y = table(200, 3)
    path = tmp_path / "rows.csv"
    pd.DataFrame(X, columns=list("abc")).assign(y=y).to_csv(path, index=False)
    return path


def test_the_command(rows, tmp_path, capsys):
    model = ["--model", "sklearn.tree.DecisionTreeRegressor", "--set", "max_depth=2", "--set", "criterion=absolute_error"]
    command = ["replay", str(rows), "--target", "y", *model, "--real-weight", "0.5,1", "--generations", "2", "--repeats", "2"]
    assert main([*command, "--save", str(tmp_path / "out.nc"), "--save", str(tmp_path / "out.csv")]) == 0
    said = capsys.readouterr().out
    assert "Squared error by generation t, on 50 rows held out" in said
    assert "fitted twice" in said
    assert main([*command, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    model = DecisionTreeRegressor(max_depth=2, criterion="absolute_error")
    frame = pd.read_csv(rows)
    found = fm.replay(model, frame[list("abc")].to_numpy(), frame.y, real_weight=[0.5, 1.0], generations=2, repeats=2)
    np.testing.assert_allclose(content["squared_error"], found.squared_error.mean("repeat"))
    assert (tmp_path / "out.nc").stat().st_size > 0
    assert "squared_error_error" in (tmp_path / "out.csv").read_text()


def test_the_command_that_finds_a_weight(rows, tmp_path, capsys):
    command = ["find-weight", str(rows), "--target", "y", "--model", "sklearn.linear_model.Ridge", "--weights", "0.3"]
    command += ["--generations", "2", "--repeats", "3", "--store", str(tmp_path / "store")]
    assert main([*command, "--save", str(tmp_path / "out.png"), "--save", str(tmp_path / "out.csv")]) == 0
    assert "best real weight" in capsys.readouterr().out
    assert (tmp_path / "out.png").stat().st_size > 0
    assert main([*command, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    frame = pd.read_csv(rows)
    found = fm.find_weight(Ridge(), frame[list("abc")].to_numpy(), frame.y, weights=[0.3], generations=2, repeats=3)
    assert content == found.to_dict()
    assert pd.read_csv(tmp_path / "out.csv").error.tolist() == content["errors"]
    assert main([*command, "--weights", "2"]) == 2
    assert "--weights must be numbers between 0 and 1" in capsys.readouterr().err


@pytest.mark.parametrize("weights", [[0.0, 0.5, 1.0], list(np.linspace(0, 1, 9))])
def test_pictures_of_a_replay(weights):
    X, y = classes(200)
    found = fm.replay(GaussianNB(), X, y, real_weight=weights, generations=3, repeats=3)
    figure = plots.replay_picture(found)
    figure.draw_without_rendering()
    assert [axes.get_ylabel().split(" on ")[0] for axes in figure.axes] == ["share of right classes", "log loss"]
    means = [line for line in figure.axes[1].containers if hasattr(line, "has_yerr")]
    drawn = np.array([bars[0].get_ydata() for bars in means])
    mean = found.log_loss.mean("repeat").to_numpy()
    np.testing.assert_allclose(drawn, mean if len(weights) < 7 else [mean[:, -1]])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "Ridge"], "--model must be MODULE.CLASS"),
        (["--model", "sklearn.linear_model.Rigde"], "--model must be MODULE.CLASS"),
        (["--model", "sklearn.linear_model.Ridge", "--set", "alpha"], "--set must be NAME=VALUE"),
        (["--model", "sklearn.linear_model.Ridge", "--set", "alhpa=1"], "--set must name settings of Ridge"),
        (["--model", "sklearn.linear_model.Ridge", "--real-weight", "a"], "--real-weight must be numbers"),
        (["--model", "sklearn.linear_model.Ridge", "--generations", "900"], "--rows-per-generation must be 2 to"),
        (["--model", "sklearn.linear_model.Ridge", "--save", "out.txt"], "--save must end in"),
    ],
)
def test_wrong_words(rows, words, message, capsys):
    assert main(["replay", str(rows), "--target", "y", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("curvature", [0.02, 0.3])
def test_the_interval_holds_the_best_weight(curvature):
    """Errors of known means, with noise that weights share: at least 90% however the best weight was chosen."""
    rng = np.random.default_rng(5)
    grid, level, first, tables = np.array([0.05, 0.2, 0.35, 0.5, 0.618, 0.75, 0.9, 1.0]), 0.9, 8, 400
    held = 0
    for _ in range(tables):
        best = rng.integers(grid.size)

        def run(weights, count, best=best):
            mean = 1 + curvature * (weights - grid[best]) ** 2
            slope, own = rng.standard_normal(count), rng.standard_normal((weights.size, count))
            return mean[:, None] + 0.3 * slope * weights[:, None] + 0.1 * own

        chosen = best_weight._chosen(run, grid, first)
        held += best_weight._fair(run(grid, 4 * first), chosen, level)[0][best]
    assert held / tables > level - 3 * np.sqrt(level * (1 - level) / tables)


@pytest.mark.slow
def test_the_golden_ratio_is_found_for_least_squares():
    """He, Xu and Cheng (2502.18049): p << n, sampled labels."""
    X, y = table(2000, 20, noise=2.0)
    found = fm.find_weight(LinearRegression(), X, y, generations=8, synthetic_labels="sampled")
    assert 0.5 < found.real_weight < 0.8
    assert found.within["1/phi"]
    assert not found.within["1"]
    assert abs(found.theory - 0.618) < 0.05


@pytest.mark.slow
def test_a_weight_is_found_for_trees():
    X, y = table(600)
    found = fm.find_weight(DecisionTreeRegressor(max_depth=4), X, y, generations=3, repeats=6, labelled=0.5)
    assert found.mixing == "rows"
    assert found.interval[0] <= found.real_weight <= found.interval[1]
    assert found.repeats.max() > found.repeats.min() > 4 * 6
    assert "best real weight" in str(found)
