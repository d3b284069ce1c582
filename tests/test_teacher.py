"""An outside teacher's labels in the loop: against the general step without one, and against dense runs."""

import numpy as np
import pytest
from scipy.optimize import differential_evolution

import freshmix as fm
from freshmix.risks.taught import Step, _start
from freshmix.risks.taught_fits import Shares, TaughtFits

from . import tolerances

EIGENVALUES, SHARES, SIGNAL = [0.3, 1.0, 4.0], [0.4, 0.4, 0.2], [0.5, 0.6, 0.2]
POPULATION = fm.Population(EIGENVALUES, SHARES, SIGNAL, 1.5)
SETTINGS = {
    "few labels": {"aspect": 0.8, "penalty": 0.2},
    "interpolation": {"aspect": 2.0, "penalty": 0.0},
    "least squares": {"aspect": 0.4, "penalty": 0.0},
    "anchored": {"aspect": 0.8, "penalty": 0.5, "anchor": 0.6},
}
GROUPS = [
    fm.Group(0.3, 1.0, 0.6, labels_from="teacher"),
    fm.Group(0.4, 0.7, 0.0, labels_from="teacher"),
    fm.Group(0.2, 1.2, 0.5),
    fm.Group(0.1, 0.5, 0.0),
]


def loop_of(setting, groups=GROUPS):
    return fm.Loop(covariates="fresh", groups=groups, synthetic_noise_ratio=0.5, **SETTINGS[setting])


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("persistence", [1.0, 0.9])
@pytest.mark.parametrize("sizes", [None, ([0.4, 2.5], [5 / 7, 2 / 7])])
def test_without_a_teacher_it_is_the_general_step(setting, persistence, sizes):
    groups = [fm.Group(each.share, each.row_weight, each.real_weight) for each in GROUPS]
    loop = loop_of(setting, groups)
    population = POPULATION.replace(persistence=persistence, row_sizes=sizes)
    teacher = fm.Teacher.of(population, gain=0.5, error=0.3)
    gram, tau = _start(population, loop, teacher)
    step = Step.of(population, loop, teacher)
    risks = [gram.risk(tau)]
    for _ in range(6):
        gram = step(gram.drifted(persistence))
        risks.append(gram.risk(tau))
    np.testing.assert_allclose(risks, fm.risk(population, loop, 6), rtol=tolerances.LAW)
    if persistence == 1:
        np.testing.assert_allclose(step.fixed_point(gram).risk(tau), fm.limit(population, loop).risk, rtol=tolerances.LAW)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_teacher_that_knows_all_is_real_labels(setting):
    """phi = beta with the noise of real labels."""
    teacher = fm.Teacher.of(POPULATION, noise_variance=POPULATION.noise_variance)
    taught = [fm.Group(0.5), fm.Group(0.5, 1.0, 0.0, labels_from="teacher")]
    real = fm.Loop(covariates="fresh", real_weight=1.0, **SETTINGS[setting])
    risks = fm.risk(POPULATION, loop_of(setting, taught), 3, teacher=teacher)
    np.testing.assert_allclose(risks, fm.risk(POPULATION, real, 3), rtol=tolerances.LAW)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_long_run_is_that_of_many_generations(setting):
    teacher = fm.Teacher.of(POPULATION, gain=0.7, error=0.2, noise_variance=0.4)
    found = fm.limit(POPULATION, loop_of(setting), teacher)
    np.testing.assert_allclose(found.risk, fm.risk(POPULATION, loop_of(setting), 400, teacher=teacher)[-1], rtol=tolerances.LAW)
    assert found.verdict in ("improves", "degrades", "collapses")


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS)
def test_dense_runs(setting):
    """Z-scores over 60 loops of 400 rows with coefficients and teacher of the population's energies; three generations.

    The teacher's noise goes with that of the real labels.
    """
    loop, n = loop_of(setting), 400
    p = round(n * loop.aspect)
    gain, error, noise, shared = 0.7, 0.2, 0.4, 0.5
    count = np.round(np.array(SHARES) * p).astype(int)
    count[-1] = p - count[:-1].sum()
    tau = np.repeat(EIGENVALUES, count)
    shares = count / p
    population = fm.Population(EIGENVALUES, shares, SIGNAL, 1.5)
    teacher = fm.Teacher.of(population, gain=gain, error=error, noise_variance=noise, noise_covariance=shared)
    sizes = np.round(np.cumsum([0, *(group.share for group in GROUPS)]) * n).astype(int)
    risks = []
    for seed in range(60):
        rng = np.random.default_rng([seed, n])
        beta = drawn(SIGNAL, count, rng)
        apart = drawn(teacher.signal - gain**2 * np.array(SIGNAL), count, rng)
        # Orthogonal to the coefficients within each eigenspace, as their inner products say.
        phi = gain * beta + orthogonal(apart, beta, count)
        model, errors = None, []
        for t in range(4):
            X = rng.standard_normal((n, p)) * np.sqrt(tau)
            noise_of_y = np.sqrt(1.5) * rng.standard_normal(n)
            y = X @ beta + noise_of_y
            label, weight = y.copy(), np.ones(n)
            if t:
                for group, start, stop in zip(GROUPS, sizes, sizes[1:], strict=False):
                    rows = slice(start, stop)
                    if group.labels_from == "teacher":
                        own = np.sqrt(noise - shared**2 / 1.5) * rng.standard_normal(stop - start)
                        made = X[rows] @ phi + shared / 1.5 * noise_of_y[rows] + own
                    else:
                        made = X[rows] @ model + np.sqrt(0.5 * 1.5) * rng.standard_normal(stop - start)
                    label[rows] = group.real_weight * y[rows] + (1 - group.real_weight) * made
                    weight[rows] = group.row_weight
            towards = loop.anchor * model if t else np.zeros(p)
            root = np.sqrt(weight)[:, None]
            A, b = root * X, root[:, 0] * (label - X @ towards)
            if loop.penalty:
                model = towards + np.linalg.solve(A.T @ A / n + loop.penalty * np.eye(p), A.T @ b / n)
            else:
                model = towards + np.linalg.lstsq(A, b, rcond=None)[0]
            errors.append(np.sum(tau * (model - beta) ** 2))
        risks.append(errors)
    risks = np.array(risks)
    expected = fm.risk(population, loop, 3, teacher=teacher)
    bias = tolerances.FINITE_SIZE * expected / 3
    z = (np.abs(risks.mean(axis=0) - expected) - bias) / (risks.std(axis=0, ddof=1) / np.sqrt(len(risks)))
    assert z.max() < tolerances.largest_z(16)


def drawn(energies, count, rng):
    """Coefficients with exactly these energies."""
    parts = [rng.standard_normal(k) for k in count]
    return np.concatenate([part * np.sqrt(energy) / np.linalg.norm(part) for part, energy in zip(parts, energies, strict=True)])


def orthogonal(vector, other, count):
    """Made orthogonal to another vector block by block, with the energies that it had."""
    made, start = [], 0
    for k in count:
        a, b = vector[start : start + k], other[start : start + k]
        rest = a - b * (a @ b) / (b @ b)
        made.append(rest * np.linalg.norm(a) / np.linalg.norm(rest))
        start += k
    return np.concatenate(made)


def test_wrong_input():
    teacher = fm.Teacher.of(POPULATION)
    with pytest.raises(ValueError, match="alignment must hold"):
        fm.Teacher([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="at most the root"):
        fm.risk(POPULATION, loop_of("few labels"), 1, teacher=fm.Teacher([0.1] * 3, [1.0] * 3))
    with pytest.raises(ValueError, match="noise_covariance must be at most"):
        fm.risk(POPULATION, loop_of("few labels"), 1, teacher=fm.Teacher.of(POPULATION, noise_variance=1, noise_covariance=2))
    with pytest.raises(ValueError, match="population's 3 eigenvalues"):
        fm.risk(POPULATION, loop_of("few labels"), 1, teacher=fm.Teacher([1.0], [1.0]))
    with pytest.raises(ValueError, match="labels_from='teacher'"):
        fm.risk(POPULATION, fm.Loop(aspect=0.5, real_weight=0.5, covariates="fresh"), 1, teacher=teacher)
    with pytest.raises(ValueError, match="need teacher="):
        fm.risk(POPULATION, loop_of("few labels"), 1)
    with pytest.raises(ValueError, match="need teacher="):
        fm.simulate(POPULATION, loop_of("few labels"), 1, rows=50, replicates=1, seed=0)
    with pytest.raises(ValueError, match="covariates='fresh'"):
        fm.risk(POPULATION, fm.Loop(aspect=0.5, groups=[fm.Group(1.0, 1.0, 0.5, labels_from="teacher")]), 1, teacher=teacher)
    with pytest.raises(ValueError, match="labels_from must be one of"):
        fm.Group(1.0, labels_from="nobody")
    with pytest.raises(ValueError, match="leave a teacher behind"):
        fm.limit(POPULATION.replace(persistence=0.9), loop_of("few labels"), teacher)


@pytest.mark.parametrize("sizes", [None, ([0.4, 2.5], [5 / 7, 2 / 7])])
@pytest.mark.parametrize("shares", [Shares(0.2, 0.3, 0.5), Shares(0.0, 0.4, 0.6), Shares(0.4, 0.6, 0.0), Shares(1.0, 0.0, 0.0)])
@pytest.mark.parametrize("aspect", [0.7, 3.0])
def test_many_fits_at_once_are_each_the_general_step(aspect, shares, sizes):
    population = POPULATION.replace(row_sizes=sizes)
    teacher = fm.Teacher([0.9, 0.1, 0.3], [0.5, -0.1, 0.2], 0.4, -0.3)
    penalties, weights = np.array([1e-3, 0.2, 5.0]), np.array([0.3, 1.0, 4.0])
    apart, along = teacher.signal - 2 * teacher.alignment + SIGNAL, teacher.alignment - SIGNAL
    fits = TaughtFits.of(population, aspect, shares, penalties, weights)

    def risks(w):
        found = []
        for penalty, weight in zip(penalties, weights, strict=True):
            groups = [
                fm.Group(shares.both, 1.0, w, labelled=True, labels_from="teacher"),
                fm.Group(shares.real, 1.0, 1.0),
                fm.Group(shares.teacher, weight, 0.0, labels_from="teacher"),
            ]
            groups = [group for group in groups if group.share > 0]
            loop = fm.Loop(covariates="fresh", aspect=aspect, penalty=penalty, groups=groups)
            found.append(fm.risk(population, loop, 1, teacher=teacher)[1])
        return np.array(found)

    for w in (0.0, 0.3, 1.0):
        np.testing.assert_allclose(fits.risks(w, teacher, apart, along), risks(w), rtol=tolerances.LAW)
    best, least = fits.best(teacher, apart, along)
    grid = np.array([risks(w) for w in np.linspace(0, 1, 21)])
    assert (least <= grid.min(axis=0) * (1 + 1e-12)).all()
    np.testing.assert_allclose([risks(w)[at] for at, w in enumerate(best)], least, rtol=tolerances.LAW)


@pytest.mark.parametrize("labelled", [0.2, 1.0])
def test_a_teacher_that_is_of_no_use_is_left_out(labelled):
    """The loop is then the best ridge on real labels, to the digit."""
    loop = fm.Loop.partially_labelled(aspect=0.7, labelled=labelled)
    teacher = fm.Teacher.of(POPULATION, error=1e4, noise_variance=1e4)
    taught = fm.optimal_teaching(POPULATION, loop, teacher)
    assert (taught.used, taught.real_weight, taught.row_weight, taught.tolerable) == (False, 1.0, 0.0, 0.0)
    assert taught.risk == taught.real_only
    np.testing.assert_allclose(fm.risk(POPULATION, taught.loop, 1, teacher=teacher)[1], taught.real_only, rtol=tolerances.LAW)
    assert "of no use" in str(taught)


def test_rows_without_the_teachers_label_keep_the_real_one():
    """Where the teacher labels no row with a real label, it is used on the others alone."""
    loop = fm.Loop.partially_labelled(aspect=0.7, labelled=0.3)
    teacher = fm.Teacher.of(POPULATION, error=0.2)
    risks = [fm.optimal_teaching(POPULATION, loop, teacher, predicted=share).risk for share in (0.0, 0.5, 1.0)]
    assert risks[0] > risks[1] > risks[2]
    none = fm.optimal_teaching(POPULATION, loop, teacher, predicted=0.0)
    assert [group.real_weight for group in none.loop.groups] == [1.0, 0.0]
    np.testing.assert_allclose(fm.risk(POPULATION, none.loop, 1, teacher=teacher)[1], none.risk, rtol=tolerances.LAW)


@pytest.mark.slow
@pytest.mark.parametrize(("labelled", "error"), [(0.2, 0.05), (0.2, 0.5), (1.0, 0.3)])
def test_the_best_use_is_that_of_a_global_search(labelled, error):
    loop = fm.Loop.partially_labelled(aspect=0.7, labelled=labelled)
    teacher = fm.Teacher.of(POPULATION, gain=0.9, error=error, noise_variance=0.2, noise_covariance=0.3)
    found = fm.optimal_teaching(POPULATION, loop, teacher)

    def risk(x):
        groups = [fm.Group(labelled, 1.0, x[1], labelled=True, labels_from="teacher")]
        if labelled < 1:
            groups.append(fm.Group(1 - labelled, x[2], 0.0, labels_from="teacher"))
        return fm.risk(POPULATION, loop.replace(penalty=10 ** x[0], groups=groups), 1, teacher=teacher)[1]

    best = differential_evolution(risk, [(-4, 2), (0, 1), (1e-3, 5)], seed=0, tol=1e-8, maxiter=80, popsize=8)
    assert found.risk <= best.fun * 1.0001
    np.testing.assert_allclose(fm.risk(POPULATION, found.loop, 1, teacher=teacher)[1], found.risk, rtol=1e-6)
    assert found.risk <= found.real_only


@pytest.mark.slow
def test_a_teacher_may_be_so_wrong():
    """At the factor that is named, the best use of the teacher gains one per cent."""
    loop = fm.Loop.partially_labelled(aspect=0.7, labelled=0.3)
    teacher = fm.Teacher.of(POPULATION, error=0.2)
    found = fm.optimal_teaching(POPULATION, loop, teacher)
    assert 1 < found.tolerable < 1e4
    worse = fm.Teacher.of(POPULATION, error=0.2 * found.tolerable)
    at = fm.optimal_teaching(POPULATION, loop, worse, worth=1e-3)
    np.testing.assert_allclose(at.risk, 0.99 * at.real_only, rtol=2e-3)
    np.testing.assert_allclose(found.teacher_alone, 0.2, rtol=1e-9)
    assert "worth using" in str(found)


@pytest.mark.slow
def test_a_teacher_is_estimated():
    """Gain and error over tables; the mean of their estimates is within four standard errors and a tenth."""
    gains, errors, noises, shared = [], [], [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        tau = np.linspace(0.2, 3, 40)
        X = rng.standard_normal((400, 40)) * np.sqrt(tau)
        beta = rng.standard_normal(40) / np.sqrt(40)
        phi = 0.8 * beta + 0.3 * rng.standard_normal(40) / np.sqrt(40)
        noise = rng.standard_normal(400)
        y, said = X @ beta + noise, X @ phi + 0.3 * noise + 0.4 * rng.standard_normal(400)
        y[:100], said[100:130] = np.nan, np.nan
        population, teacher = fm.estimate_teacher(X, y, said)
        tau_hat = population.eigenvalues
        gains.append((tau_hat @ teacher.alignment) / (tau_hat @ population.signal) / ((tau @ (beta * phi)) / (tau @ beta**2)))
        wrong = tau_hat @ (teacher.signal - 2 * teacher.alignment + population.signal)
        errors.append(wrong / (tau @ (phi - beta) ** 2))
        noises.append(teacher.noise_variance / 0.25)
        shared.append(teacher.noise_covariance / 0.3)
    for ratios in (gains, errors, noises, shared):
        assert abs(np.mean(ratios) - 1) < 0.1 + 4 * np.std(ratios) / np.sqrt(20)


def test_wrong_tables():
    X = np.ones((20, 2))
    with pytest.raises(ValueError, match="predictions must be 20 numbers"):
        fm.estimate_teacher(X, np.ones(20), np.ones(3))
    with pytest.raises(ValueError, match="at least 10 rows"):
        fm.estimate_teacher(X, np.ones(20), np.full(20, np.nan))
    with pytest.raises(ValueError, match="real label"):
        fm.optimal_teaching(POPULATION, fm.Loop.partially_labelled(aspect=1.0, labelled=0.0), fm.Teacher.of(POPULATION))
