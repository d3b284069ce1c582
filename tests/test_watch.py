"""fm.Watch: false alarms and delays over many loops, and a state that goes on as if nothing had been."""

import json

import numpy as np
import pytest

import freshmix as fm

P, ROWS = 50, 1000


def loop(risks, rng, **options):
    """A watch of models whose coefficients are off by independent gaussian vectors of these excess risks, noise variance 1."""
    X, watch = rng.standard_normal((ROWS, P)), None
    watch = fm.Watch(rng.standard_normal(ROWS), **options)
    for risk in risks:
        watch.update(X @ rng.standard_normal(P) * np.sqrt(risk / P))
    return watch


def alarm(watch):
    return next((state.generation for state in watch.history if state.verdict == "collapsing"), None)


@pytest.mark.slow
def test_healthy_loops_are_left_alone_and_sick_ones_found():
    """The level, 1%, over 100 generations; an excess risk that doubles from a quarter of the noise variance is found in ten."""
    rngs = np.random.default_rng(0).spawn(500)
    healthy = [alarm(loop([0.25] * 100, rng)) is not None for rng in rngs[:300]]
    assert np.mean(healthy) <= 0.01
    found = [alarm(loop([0.25] * 20 + [0.5] * 10, rng)) for rng in rngs[300:]]
    assert np.mean([at is not None and at >= 20 for at in found]) >= 0.9


def test_since_when():
    watch = loop([0.1] * 12 + [1.0] * 10, np.random.default_rng(1))
    state = watch.state
    assert (state.verdict, state.since, alarm(watch) <= 16) == ("collapsing", 12, True)
    assert state.bound > 0.05 * state.reference
    assert watch.history[4].verdict == "learning"
    assert watch.history[11].verdict == "healthy"
    assert "began to rise at generation 12" in str(state)


def test_a_loop_that_improves_is_healthy():
    assert loop(np.linspace(1.0, 0.2, 30), np.random.default_rng(2)).state.verdict == "healthy"


def test_bound_is_students():
    """One window, by hand."""
    rng = np.random.default_rng(3)
    y, guesses = rng.standard_normal(200), rng.standard_normal((6, 200)) / 3
    watch = fm.Watch(y, reference=2, tolerance=0.1, level=0.05)
    for guess in guesses:
        state = watch.update(guess)
    losses = (y - guesses) ** 2
    apart = losses[2:].mean(axis=0) - 1.1 * losses[:2].mean(axis=0)
    from scipy.stats import t

    share = 0.05 * 10 / (13 * 14)
    bound = apart.mean() - t.isf(share, 199) * apart.std(ddof=1) / np.sqrt(200) + 0.1 * losses[:2].mean()
    np.testing.assert_allclose(state.bound, bound, rtol=1e-12)


def test_repeated_rows_are_weights():
    rng = np.random.default_rng(4)
    y, guesses = rng.standard_normal(100), rng.standard_normal((8, 100))
    even, weighted = fm.Watch(y), fm.Watch(y, sample_weight=np.full(100, 3.0))
    for guess in guesses:
        assert repr(even.update(guess)) == repr(weighted.update(guess))


def test_saved_in_the_middle_is_uninterrupted(tmp_path):
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((60, 4)), rng.standard_normal(60)
    models = [fm.MixedRidge().fit(X[:, :], y + rng.standard_normal(60) * (1 + t / 5)) for t in range(24)]
    straight, broken = fm.Watch(y, X, reference=3), fm.Watch(y, X, reference=3)
    for t, model in enumerate(models):
        straight.update(model)
        if t == 11:
            broken.save(tmp_path / "watch.json")
            broken = fm.Watch.load(tmp_path / "watch.json", X)
        broken.update(model.predict(X))
        assert broken.state == straight.state
    assert broken.history == straight.history
    assert json.loads((tmp_path / "watch.json").read_text())["format"] == 1


def test_wrong_input(tmp_path):
    y = np.arange(40.0)
    with pytest.raises(ValueError, match="y must hold at least 30"):
        fm.Watch([1.0, 2.0])
    with pytest.raises(ValueError, match="X must hold a row for each of the 40"):
        fm.Watch(y, np.ones((3, 2)))
    with pytest.raises(ValueError, match="level must be"):
        fm.Watch(y, level=0)
    with pytest.raises(ValueError, match="reference must be"):
        fm.Watch(y, reference=0)
    with pytest.raises(ValueError, match="sample_weight must hold 40"):
        fm.Watch(y, sample_weight=[1.0])
    watch = fm.Watch(y)
    with pytest.raises(ValueError, match="no generation was shown"):
        _ = watch.state
    for wrong, message in (
        ([1.0], "predictions must be 40"),
        (np.full(40, np.nan), "finite"),
        ("model", "predictions must be"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            watch.update(wrong)
    with pytest.raises(ValueError, match="X must be given"):
        watch.update(fm.MixedRidge())
    assert watch.history == ()
    for content in ("{}", "[]", "text", '{"format": 1}'):
        (tmp_path / "watch.json").write_text(content)
        with pytest.raises(ValueError, match="Watch"):
            fm.Watch.load(tmp_path / "watch.json")
