"""Points that are simulated batch by batch are those of one call, and a page does not take on what it cannot finish."""

import json

import numpy as np
import pytest

import freshmix as fm
from freshmix.explorer.simulating import MOST_EACH, MOST_SECONDS, Simulation, next_of, points
from freshmix.explorer.state import State

STATES = {
    "same rows": State(),
    "penalty": State(aspect=0.5, penalty=0.1, anchor=0.3),
    "new rows": State(covariates="fresh", labelled=0.4, row_weight=0.5, aspect=0.5, generations=5),
    "kept rows": State(covariates="fresh", kept_generations=None, forgetting=0.8, aspect=0.3, generations=4),
    "drift": State(covariates="fresh", persistence=0.9, first_rows=2.0, model="spiked", aspect=0.7, generations=3),
    "odd aspect": State(aspect=0.0123, penalty=0.2, generations=3),
    "one feature": State(aspect=0.001, generations=3),
}


@pytest.mark.parametrize("name", STATES)
def test_points_are_those_of_one_call_whatever_the_batches(name):
    state = STATES[name]
    simulation = Simulation(state, rows=40, replicates=7)
    whole = fm.simulate(state.population(), state.loop(), state.generations, rows=40, replicates=7, seed=0)
    expected = fm.mean_and_error(whole)
    run = {"query": state.to_query(), "rows": 40, "replicates": 7, "runs": []}
    for _ in range(7):
        # As it goes through a browser.
        run = json.loads(json.dumps(next_of(run)))
    found = points(run["runs"])
    np.testing.assert_array_equal(found["mean"], expected["mean"])
    np.testing.assert_array_equal(found["standard_error"], expected["standard_error"])
    for first in (0, 3, 6):
        batch, _ = simulation.batch(first)
        assert batch == run["runs"][first : first + len(batch)]


def test_the_lines_give_the_points_that_are_there():
    simulation = Simulation(State(generations=3), rows=40, replicates=7)
    known = {"fm": fm, "population": simulation.state.population(), "loop": simulation.state.loop()}
    exec(simulation.lines(5), known)
    runs = next_of({"query": simulation.state.to_query(), "rows": 40, "replicates": 5, "runs": []})["runs"]
    np.testing.assert_array_equal(known["simulated"]["mean"], points(runs)["mean"])


def test_points_lie_on_theory():
    state = State(aspect=0.5, penalty=0.1, real_weight=0.6, generations=8)
    found = points(Simulation(state, rows=300, replicates=60).batch(0)[0])
    z = (found["mean"] - fm.risk(state.population(), state.loop(), 8)) / found["standard_error"]
    # Finite-size terms of 1/n are well below the bars.
    assert float(abs(z).max()) < 4


def test_what_users_of_the_library_are_warned_of_is_said_on_the_page():
    state = State(aspect=1.0)
    assert next_of({"query": state.to_query(), "rows": 40, "replicates": 3, "runs": []})["told"][0].startswith("at the inter")


def test_what_diverges_is_unbounded_and_no_nan():
    runs = [[1.0, 2.0, None], [1.5, None, None]]
    found = points(runs)
    assert found["mean"].values.tolist() == [1.25, np.inf, np.inf]
    assert np.isnan(found["standard_error"].values[1:]).all()


@pytest.mark.parametrize(
    ("changes", "rows", "replicates", "says"),
    [
        ({}, 0, 10, "Rows must be a whole number from 10 to 4000, got 0."),
        ({}, 200, 1, "Runs must be a whole number from 2 to 200, got 1."),
        ({}, 1e9, 10, "Rows must be a whole number from 10 to 4000, got 1000000000.0."),
        ({}, None, 10, "Rows must be a whole number from 10 to 4000, got None."),
        ({}, 200, "many", "Runs must be a whole number from 2 to 200, got many."),
        ({}, True, 10, "Rows must be"),
        ({"aspect": 1000.0}, 4000, 10, "A single run of 4,000 rows and 4,000,000 features over 20 generations is too large"),
        (
            {"covariates": "fresh", "generations": 80},
            400,
            200,
            "200 runs of 400 rows and 800 features over 80 generations take about",
        ),
        ({"covariates": "fresh", "generations": 200, "kept_generations": None}, 400, 10, "is too large for this page"),
    ],
)
def test_what_takes_too_long_is_refused_in_a_sentence(changes, rows, replicates, says):
    with pytest.raises(ValueError, match=says.replace(".", r"\.")) as error:
        Simulation(State(**changes), rows, replicates)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")


def test_every_state_has_an_affordable_default_or_a_refusal():
    """The bounds hold for the largest that is accepted."""
    for aspect in (0.001, 0.5, 20.0, 1000.0):
        for covariates in ("frozen", "fresh"):
            for generations in (1, 20, 200):
                try:
                    simulation = Simulation(State(aspect=aspect, covariates=covariates, generations=generations))
                except ValueError:
                    continue
                assert simulation.seconds <= MOST_EACH
                assert simulation.seconds * simulation.replicates <= MOST_SECONDS


@pytest.mark.parametrize("runs", [[[1.0]], [["x"] * 21], "abc", [[1.0] * 21] * 99, [[[1.0]] * 21]])
def test_runs_of_another_page_are_refused(runs):
    with pytest.raises(ValueError, match="are not those of this page"):
        next_of({"query": "", "rows": 40, "replicates": 7, "runs": runs})
