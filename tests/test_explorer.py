"""The explorer without a browser: states and their addresses, what they show, and the lines that reproduce it."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import freshmix as fm
from freshmix.explorer import answers
from freshmix.explorer.coded import MOST_ATOMS, decoded, encoded
from freshmix.explorer.fields import Choice, Numbers, Numeric
from freshmix.explorer.state import FIELDS, MODELS, PICTURES, State, read

MANY = settings(max_examples=60, deadline=None, derandomize=True)
TABLE = encoded(fm.Population([0.5, 1.0, 7.0], [0.5, 0.25, 0.25], [0.1, 0.3, 0.2], 3.0))


def values(name):
    kind = FIELDS[name]
    if isinstance(kind, Choice):
        return st.sampled_from(list(kind.meant.values()))
    if isinstance(kind, Numeric):
        if kind.whole:
            return st.integers(int(kind.low), int(kind.high))
        number = st.floats(kind.low, kind.high)
        return st.none() | number if kind.optional else number
    return st.sampled_from(["", TABLE])


@st.composite
def states(draw):
    names = [name for name, kind in FIELDS.items() if not isinstance(kind, Numbers)]
    chosen = draw(st.lists(st.sampled_from(names), unique=True))
    size = draw(st.integers(1, 6))
    lists = {name: draw(st.lists(st.floats(1e-6, 1e6), min_size=size, max_size=size)) for name in ("eigenvalues", "shares")}
    return State(**{name: draw(values(name)) for name in chosen}, **(lists if draw(st.booleans()) else {}))


@MANY
@given(states())
def test_an_address_is_its_state(state):
    assert read(state.to_query()) == (state, [])
    assert State.from_query("?" + state.to_query()) == state


@MANY
@given(states())
def test_every_state_has_a_population_and_a_loop(state):
    population, loop = state.population(), state.loop()
    assert loop.aspect == state.aspect
    assume(population.null_risk > 0)
    assert math.isclose(population.signal_to_noise_ratio, state.signal_to_noise, rel_tol=1e-9)
    # What is not used changes nothing.
    for name in state.unused():
        kind = FIELDS[name]
        other = state.replace(**{name: kind.low if isinstance(kind, Numeric) else kind.default})
        if name not in ("labelled", "kept_generations"):
            assert (other.population(), other.loop()) == (population, loop)


PAIRS = st.lists(st.tuples(st.sampled_from([*FIELDS, "x"]), st.text()))


@MANY
@given(st.text() | PAIRS.map(lambda pairs: "&".join("=".join(pair) for pair in pairs)))
def test_any_address_is_some_state_with_a_sentence_for_what_is_wrong(query):
    state, said = read(query)
    assert isinstance(state, State)
    assert all(isinstance(each, str) and each.endswith(".") and len(each) < 400 for each in said)
    assert read(state.to_query()) == (state, [])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("penalty=-1", "penalty must be a number from 0 to 1e+06, got -1: its default stands."),
        ("penalty=nan", "penalty must be a number from 0 to 1e+06, got nan: its default stands."),
        ("generations=2.5", "generations must be a whole number from 1 to 200, got 2.5: its default stands."),
        ("covariates=warm", "covariates must be one of frozen, fresh, got warm: its default stands."),
        ("table=!", "table must be a population that freshmix wrote into an address, got something else: its default stands."),
        ("eigenvalues=1,2,3", "shares must be as many as eigenvalues, got 2 and 3: its default stands."),
        ("colour=red", "There is no setting called colour."),
    ],
)
def test_what_an_address_cannot_mean_is_said(query, said):
    state, sentences = read(f"{query}&aspect=0.5")
    assert sentences == [said]
    assert state == State(aspect=0.5)


@pytest.mark.parametrize("atoms", [1, 5, MOST_ATOMS, 5000])
@pytest.mark.parametrize("sizes", [None, ([0.5, 3.0], [0.8, 0.2])])
def test_a_coded_population_keeps_what_matters(atoms, sizes):
    rng = np.random.default_rng(atoms)
    shares = rng.random(atoms)
    population = fm.Population(rng.random(atoms) * 9, shares / shares.sum(), rng.random(atoms), 2.5, sizes)
    text = encoded(population)
    assert len(text) < 6000
    again = decoded(text)
    for name in ("null_risk", "noise_variance", "signal_to_noise_ratio"):
        assert math.isclose(getattr(again, name), getattr(population, name), rel_tol=1e-6)
    loop = fm.Loop(aspect=1.5, penalty=0.1, real_weight=0.6, **({} if sizes is None else {"covariates": "fresh"}))
    assert math.isclose(
        fm.limit(again, loop).risk, fm.limit(population, loop).risk, rel_tol=1e-5 if atoms <= MOST_ATOMS else 1e-4
    )


STATES = [
    State(),
    State(model="spiked", penalty=0.1, anchor=0.5),
    State(model="autoregressive", features=50, covariates="fresh", labelled=0.4, row_weight=0.5, persistence=0.9),
    State(model="random-effects", label_renewal=0.3, synthetic_noise_ratio=0.0, penalty=0.2),
    State(model="power-law", source=0.5, features=50, covariates="fresh", kept_generations=None, forgetting=0.9),
    State(model="table", table=TABLE, signal_to_noise=0.7, penalty=0.5),
]


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.to_query()[:40])
def test_lines_reproduce_what_is_shown(state, picture, capsys):
    state = state.replace(picture=picture)
    shown = {}
    exec(answers.lines(state), shown)
    assert "real labels only" in capsys.readouterr().out
    assert (shown["population"], shown["loop"]) == (state.population(), state.loop())
    for name in ("risk_by_generation", "risk_by_weight", picture):
        try:
            table = answers.DATA[name](state)
        except answers.NotShown:
            assert name not in shown
        else:
            assert shown[name].identical(table)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.to_query()[:40])
def test_advice_is_the_best_loop(state):
    best = answers.advice(state)
    if state.keeps:
        assert best is None
        return
    assert best is not None
    advised = state.replace(**answers.advised(best))
    if best.attained:
        assert math.isclose(fm.limit(advised.population(), advised.loop()).risk, best.risk, rel_tol=1e-6)
    assert answers.about(advised) == answers.about(state)


KINDS = [State(model="two-level"), State(covariates="fresh"), State(covariates="fresh", kept_generations=3)]
NOT_SHOWN = [{"phase"}, set(), {"risk_by_weight", "weight_penalty", "phase"}]


@pytest.mark.parametrize("name", answers.DATA)
@pytest.mark.parametrize(("state", "without"), list(zip(KINDS, NOT_SHOWN, strict=True)))
def test_every_picture_has_data_or_a_sentence(name, state, without):
    if name not in without:
        assert answers.csv(name, state).count("\n") >= 2
        return
    with pytest.raises(answers.NotShown, match=r"\.$"):
        answers.csv(name, state)


def test_every_model_is_one_of_the_front_door():
    for model in MODELS:
        assert State(model=model, covariates="fresh", persistence=0.5).population().persistence == 0.5
