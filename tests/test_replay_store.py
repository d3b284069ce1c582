"""Replays in a store: the numbers of a replay without one, continued by any later call, and refused to any other replay."""

import json
import random
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeRegressor

import freshmix as fm
from freshmix.cli import main
from freshmix.replays.stored import settings_of
from freshmix.sweeps.verify import verify

OPTIONS = {"real_weight": [0.3, 1.0], "generations": 2}
RUN = "import sys; from freshmix.cli import main; sys.exit(main(sys.argv[1:]))"
OFTEN = "from freshmix.sweeps import run; run.COMMIT = 0.02\n"


def table(n=200, p=4):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    return X, X.sum(axis=1) + rng.standard_normal(n)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "model", [Ridge(), DecisionTreeRegressor(max_features=1), make_pipeline(StandardScaler(), GaussianNB())]
)
def test_a_store_changes_no_bit_and_is_continued(tmp_path, model, workers):
    X, y = table()
    y = np.where(y > 0, "yes", "no") if hasattr(model, "predict_proba") else y
    options = {"synthetic_labels": "sampled", "generations": 2, "workers": workers}
    whole = fm.replay(model, X, y, real_weight=[0.3, 0.6, 1.0], repeats=5, **options)
    store = tmp_path / "store"
    fm.replay(model, X, y, real_weight=[1.0, 0.3], repeats=2, store=store, **options)
    found = fm.replay(model, X, y, real_weight=[0.3, 0.6, 1.0], repeats=5, store=store, **options)
    assert found.identical(whole)
    part = fm.replay(model, X, y, real_weight=0.6, repeats=2, first_repeat=2, store=store, **options)
    assert part.identical(whole.isel(repeat=[2, 3], real_weight=[1]))
    assert verify(store) == []
    with xr.open_zarr(store, chunks=None) as kept:
        assert kept.done.all()
        assert kept.measure.values.tolist() == list(whole.data_vars)
        np.testing.assert_array_equal(kept.error.isel(measure=0), whole[next(iter(whole))])


def test_nothing_is_run_twice(tmp_path, monkeypatch):
    X, y = table()
    first = fm.replay(Ridge(), X, y, repeats=2, store=tmp_path / "store", **OPTIONS)
    monkeypatch.setattr("freshmix.replays.repeats.Repeats.errors", None)
    assert fm.replay(Ridge(), X, y, repeats=2, store=tmp_path / "store", **OPTIONS).identical(first)


def changed_table():
    X, y = table()
    y[7] += 1e-9
    return X, y


@pytest.mark.parametrize(
    ("model", "rows", "options", "said"),
    [
        (Ridge(2.0), table(), {}, "estimator.alpha: 1.0 -> 2.0"),
        (Ridge(1.0, solver="svd"), table(), {}, "estimator.solver: auto -> svd"),
        (LinearRegression(), table(), {}, "estimator.class: sklearn.linear_model._ridge.Ridge -> "),
        (Ridge(), changed_table(), {}, "table.y: "),
        (Ridge(), (table()[0][:, ::-1], table()[1]), {}, "table.X: "),
        (Ridge(), table(), {"labelled": 0.5}, "replay.labelled: 1.0 -> 0.5"),
        (Ridge(), table(), {"seed": 1}, "seed: 0 -> 1"),
        (Ridge(), table(), {"generations": 3}, "generations: 2 -> 3"),
    ],
)
def test_another_replay_is_refused(tmp_path, model, rows, options, said):
    store = tmp_path / "store"
    before = fm.replay(Ridge(), *table(), repeats=1, store=store, **OPTIONS)
    with pytest.raises(ValueError, match="is the store of another replay; they differ in:") as refused:
        fm.replay(model, *rows, repeats=1, store=store, **OPTIONS | options)
    assert said in str(refused.value)
    assert fm.replay(Ridge(), *table(), repeats=1, store=store, **OPTIONS).identical(before)


def test_sweeps_and_replays_refuse_each_others_stores(tmp_path):
    spec = {"generations": 2, "rows": 20, "loop": {"real_weight": 0.5, "aspect": 0.5}}
    fm.sweep(spec, tmp_path / "sweep", workers=0)
    fm.replay(Ridge(), *table(), repeats=1, store=tmp_path / "replay", **OPTIONS)
    with pytest.raises(ValueError, match="is the store of another replay"):
        fm.replay(Ridge(), *table(), repeats=1, store=tmp_path / "sweep", **OPTIONS)
    with pytest.raises(ValueError, match="is the store of another sweep"):
        fm.sweep(spec, tmp_path / "replay", workers=0)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="not the store of a replay"):
        fm.replay(Ridge(), *table(), repeats=1, store=tmp_path / "other", **OPTIONS)


def test_the_same_rows_in_another_frame_are_the_same_table(tmp_path):
    X, y = table()
    frame = pd.DataFrame(X, columns=list("abcd"))
    first = fm.replay(Ridge(), frame, y, repeats=1, store=tmp_path / "store", **OPTIONS)
    again = fm.replay(Ridge(), pl.from_pandas(frame), y, repeats=2, store=tmp_path / "store", **OPTIONS)
    assert again.isel(repeat=[0]).identical(first)
    with pytest.raises(ValueError, match=r"table\.columns"):
        fm.replay(Ridge(), frame.rename(columns={"a": "e"}), y, repeats=2, store=tmp_path / "store", **OPTIONS)


def models():
    return [
        RandomForestRegressor(10, random_state=np.random.RandomState(0)),
        make_pipeline(FunctionTransformer(np.log1p), Ridge(np.float64(2))),
        LogisticRegression(class_weight={"a": 1.0, "b": 2.0}),
    ]


def test_settings_are_told_apart_in_any_process():
    code = f"import sys; sys.path = {sys.path!r}; import numpy as np; from tests.test_replay_store import *; import json\n"
    code += "print(json.dumps([settings_of(model) for model in models()]))"
    assert len({json.dumps(settings_of(model)) for model in models()}) == 3
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == json.loads(json.dumps([settings_of(model) for model in models()]))
    with pytest.raises(TypeError, match=r"estimator must have settings that can be told apart.* func is a function"):
        settings_of(FunctionTransformer(lambda X: X))


class Moody(RegressorMixin, BaseEstimator):
    """Predicts the mean; fails, or predicts NaN, where the first label of the fit is above a bound."""

    def __init__(self, bound=1.0, nan=False):
        self.bound, self.nan = bound, nan

    def fit(self, X, y):
        if y[0] > self.bound and not self.nan:
            raise ValueError("not today")
        self.mean_ = np.nan if y[0] > self.bound else y.mean()
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


@pytest.mark.parametrize(("nan", "said"), [(False, "ValueError: not today"), (True, "ArithmeticError: the model predicts NaN")])
def test_repeats_that_fail_are_told_and_the_others_kept(tmp_path, nan, said):
    X, y = table()
    with pytest.raises(ValueError, match=rf"of 16 runs failed, first replicate=\d+: {said}.*those that are finished are kept"):
        fm.replay(Moody(nan=nan), X, y, repeats=8, store=tmp_path / "store", **OPTIONS)
    with xr.open_zarr(tmp_path / "store", chunks=None) as kept:
        assert 0 < int(kept.done.sum()) < 16
    if nan:
        with pytest.raises(ArithmeticError, match="predicts NaN"):
            fm.replay(Moody(nan=True), X, y, repeats=8, **OPTIONS)


def test_a_search_for_the_best_weight_goes_on_where_it_stopped(tmp_path, monkeypatch):
    X, y = table()
    options = {"weights": [0.3], "generations": 2, "repeats": 3}
    whole = fm.find_weight(Ridge(), X, y, **options)
    from freshmix.replays.repeats import Repeats

    errors, left = Repeats.errors, 20

    def interrupted(self, repeat, weights):
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return errors(self, repeat, weights)

    monkeypatch.setattr(Repeats, "errors", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fm.find_weight(Ridge(), X, y, store=tmp_path / "store", **options)
    left = 10**9
    found = fm.find_weight(Ridge(), X, y, store=tmp_path / "store", **options)
    assert found.to_dict() == whole.to_dict()
    assert 10**9 - left < whole.repeats.sum()


@pytest.fixture
def rows(tmp_path):
    X, y = table(400, 3)
    path = tmp_path / "rows.csv"
    pd.DataFrame(X, columns=list("abc")).assign(y=y).to_csv(path, index=False)
    return path


def test_the_command_with_a_store(rows, tmp_path, capsys):
    command = ["replay", str(rows), "--target", "y", "--model", "sklearn.linear_model.Ridge", "--repeats", "3"]
    stored = [*command, "--store", str(tmp_path / "store")]
    assert main([*command, "--json"]) == main([*stored, "--json"]) == main([*stored, "--json"]) == 0
    once, kept, again = map(json.loads, _documents(capsys.readouterr().out))
    assert once == kept == again
    assert main([*stored, "--set", "alpha=3"]) == 2
    assert "estimator.alpha: 1.0 -> 3" in capsys.readouterr().err
    assert main(["sweep", "--status", "--store", str(tmp_path / "store")]) == 0
    assert "3 of 3 tasks finished" in capsys.readouterr().out


def _documents(text):
    return [each if each.endswith("}") else each + "}" for each in text.strip().split("\n}\n")]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random_moments(rows, tmp_path, workers):
    """kill -9 of the command in the midst of its work, again and again, against one uninterrupted run, bit for bit."""
    model = ["--model", "sklearn.tree.DecisionTreeRegressor", "--set", "max_features=1", "--synthetic-labels", "sampled"]
    command = [
        "replay",
        str(rows),
        "--target",
        "y",
        *model,
        "--repeats",
        "120",
        "--generations",
        "6",
        "--workers",
        str(workers),
    ]
    whole, moments, kills, round_number = tmp_path / "whole.nc", random.Random(workers), 0, 0
    assert main([*command, "--save", str(whole)]) == 0
    while kills < 6:
        round_number += 1
        store, out, before, code = tmp_path / f"store{round_number}", tmp_path / f"out{round_number}.nc", 0, None
        while code != 0:
            arguments = [*command, "--store", str(store), "--save", str(out)]
            running = subprocess.Popen(
                [sys.executable, "-c", OFTEN + RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            deadline = time.monotonic() + 120
            while kills < 6 and _done(store) == before and running.poll() is None:
                assert time.monotonic() < deadline, "nothing was finished in two minutes"
                time.sleep(0.02)
            if kills < 6:
                time.sleep(moments.uniform(0.0, 0.3))
                kills += running.poll() is None
                running.kill()
            _, err = running.communicate(timeout=300)
            code = running.returncode
            assert code in (0, -9), err
            # What was committed stays, and nothing that is on disk is wrong.
            assert _done(store) >= before
            before = _done(store)
            assert verify(store) == []
        with xr.open_dataset(out, engine="scipy") as found, xr.open_dataset(whole, engine="scipy") as expected:
            assert found.load().identical(expected.load())


def _done(store):
    if not (store / "zarr.json").exists():
        return 0
    try:
        with xr.open_zarr(store, chunks=None) as kept:
            return int(kept.done.sum())
    except (FileNotFoundError, ValueError):
        # A chunk of marks that is being put in place.
        return 0
