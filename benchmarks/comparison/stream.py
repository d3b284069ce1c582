"""A stream of rows whose coefficients may drift: what each learner knows after 37 steps, settings chosen on the first 24."""

import time

from memory import HORIZON, PENALTIES, RATES, SETTINGS, STEPS, Drawn, Truth, carried_out

# isort: split
import numpy as np
from river.linear_model import BayesianLinearRegression
from river.linear_model import LinearRegression as OnlineRegression
from river.optim import SGD
from sklearn.linear_model import RidgeCV, SGDRegressor

import freshmix as fm

TITLE = "A stream: 37 steps of 60 rows and 30 features, all labelled"
PERSISTENCES = (1.0, 0.97, 0.9)
HEAD = ("way", "seconds to choose settings", "milliseconds a step", "peak memory, MB")
HEAD += tuple(f"error above the best way's, %, persistence {c:g}" for c in PERSISTENCES)
DRAWS = 2
ANCHORS = np.geomspace(1e-2, 1e2, 9)
SMOOTHING = (None, 0.999, 0.99, 0.9)


def data(small=False):
    draws, rows, p = (1, 20, 4) if small else (DRAWS, 60, 30)
    made = []
    for c in PERSISTENCES[:1] if small else PERSISTENCES:
        truth = Truth.of("AR(1)", c, 1.0, 1.0, p, rows)
        for k in range(draws):
            rng = np.random.default_rng([k, round(100 * c)])
            made.append((c, truth, Drawn.of(truth.population, p, rows, STEPS + HORIZON + 1, 1.0, rng)))
    return made


def steps_of(drawn):
    return list(zip(drawn.X, drawn.y, strict=True))


def advised(drawn):
    X, y, steps = drawn.table(STEPS)
    answer = fm.recommend(X, y, time=steps, standardize=False)
    return {key: answer.rivals[answer.best][key] for key in SETTINGS}


def remembering(drawn, settings):
    return carried_out([(X, y, X, y) for X, y in steps_of(drawn)], **settings)[-1]


def least(drawn, candidates, run):
    """The candidate whose models of the first steps were least wrong on the rows of the step after."""
    errors = []
    for candidate in candidates:
        try:
            models = run(steps_of(drawn)[:STEPS], candidate)
        except ValueError:  # scikit-learn stops where weights overflow
            errors.append(np.inf)
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            later = steps_of(drawn)[1:STEPS]
            errors.append(np.mean([np.mean((X @ b - y) ** 2) for b, (X, y) in zip(models, later, strict=False)]))
    return candidates[int(np.nanargmin(errors))]


def anchored(steps, penalty):
    """Ridge whose penalty pulls towards the last model."""
    b, models = np.zeros(steps[0][0].shape[1]), []
    for X, y in steps:
        b = b + np.linalg.solve(X.T @ X / len(y) + penalty * np.eye(b.size), X.T @ (y - X @ b) / len(y))
        models.append(b)
    return models


def descended(steps, rate):
    learner, models = SGDRegressor(learning_rate="constant", eta0=rate, fit_intercept=False, random_state=0), []
    for X, y in steps:
        models.append(learner.partial_fit(X, y).coef_.copy())
    return models


def _learnt(learner, steps):
    models, p = [], steps[0][0].shape[1]
    names = range(p)
    for X, y in steps:
        for row, label in zip(X.tolist(), y.tolist(), strict=True):
            learner.learn_one(dict(zip(names, row, strict=True)), label)
        models.append(_coefficients(learner, p))
    return models


def _coefficients(learner, p):
    """What the learner says of unit vectors."""
    unit = np.eye(p)
    return np.array([learner.predict_one(dict(enumerate(row.tolist()))) for row in unit])


def online(steps, rate):
    return _learnt(OnlineRegression(optimizer=SGD(rate), intercept_lr=0.0), steps)


def bayesian(steps, smoothing):
    return _learnt(BayesianLinearRegression(smoothing=smoothing), steps)


def chosen(run, candidates):
    return lambda drawn: least(drawn, candidates, run), lambda drawn, setting: run(steps_of(drawn), setting)[-1]


def _last(drawn, _):
    return [RidgeCV(len(y) * PENALTIES, fit_intercept=False).fit(X, y).coef_ for X, y in steps_of(drawn)][-1]


def _all(drawn, _):
    steps = steps_of(drawn)
    for t in range(len(steps)):
        X, y = (np.concatenate([each[k] for each in steps[: t + 1]]) for k in (0, 1))
        b = RidgeCV(len(y) * PENALTIES, fit_intercept=False).fit(X, y).coef_
    return b


LEARNERS = {
    "freshmix, the way that `fm.recommend` names": (advised, remembering),
    "anchored ridge in NumPy, penalty by past steps": chosen(anchored, ANCHORS),
    "`RidgeCV`, the last step": (lambda _: None, _last),
    "`RidgeCV`, all rows so far": (lambda _: None, _all),
    "`SGDRegressor.partial_fit`, rate by past steps": chosen(descended, RATES),
    "river, `LinearRegression`, rate by past steps": chosen(online, RATES),
    "river, `BayesianLinearRegression`, smoothing by past steps": chosen(bayesian, SMOOTHING),
}


def each(choose, run):
    def work(made):
        choosing = running = 0.0
        errors = []
        for c, truth, drawn in made:
            start = time.process_time()
            setting = choose(drawn)
            middle = time.process_time()
            b = run(drawn, setting)
            running += time.process_time() - middle
            choosing += middle - start
            errors.append((c, drawn.error(b) / truth.best()[1] - 1))
        return choosing / len(made), running / len(made) / (STEPS + HORIZON + 1), errors

    return work


WAYS = {name: each(*learner) for name, learner in LEARNERS.items()}


def rows(results, made):
    for name, result in results.items():
        choosing, step, errors = result.value
        means = (100 * np.mean([error for at, error in errors if at == c]) for c in PERSISTENCES)
        yield name, choosing, 1e3 * step, result.megabytes, *means
