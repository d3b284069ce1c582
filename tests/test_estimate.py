"""Estimates from data against dense linear algebra and against the truth of drawn tables."""

import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import nnls

import freshmix as fm
from freshmix.estimation import NoiseEstimate, banded, factorise, factorise_gram
from freshmix.estimation.importance import importance_sample
from freshmix.estimation.intervals import credible
from freshmix.estimation.noise import Routes, stretch
from freshmix.estimation.nonnegative import nonnegative
from freshmix.estimation.outlying import outlying_signal
from freshmix.estimation.posterior import DRAWS, Posterior
from freshmix.estimation.spectrum import leaks, outliers, profiles, spectrum


def table(n, p, noise=1.0, tau=None, seed=0):
    rng = np.random.default_rng(seed)
    tau = np.ones(p) if tau is None else tau
    beta = rng.standard_normal(p)
    beta *= np.sqrt(2.0 / (beta @ (tau * beta)))
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    return X, X @ beta + np.sqrt(noise) * rng.standard_normal(n), beta


@pytest.mark.parametrize(("n", "p"), [(60, 20), (60, 59), (60, 60), (60, 150)])
def test_factorisation_against_a_dense_decomposition(n, p):
    X, y, _ = table(n, p)
    X = X + 3.0  # an offset that centring must remove
    found = factorise(X, y + 5.0)
    centred, response = X - X.mean(axis=0), y - y.mean()
    values = np.linalg.svd(centred, compute_uv=False) ** 2 / n
    rank = min(n - 1, p)
    assert found.eigenvalues == pytest.approx(values[:rank], rel=1e-9)
    assert found.zeros == n - 1 - rank
    assert found.responses @ found.responses + found.zero_energy == pytest.approx(response @ response, rel=1e-10)
    # Ridge's fitted values have the norm that the rotated responses say.
    fitted = centred @ np.linalg.solve(centred.T @ centred / n + 0.3 * np.eye(p), centred.T @ response / n)
    q = found.eigenvalues / (found.eigenvalues + 0.3)
    assert fitted @ fitted == pytest.approx((q * found.responses) @ (q * found.responses), rel=1e-9)


def test_gram_matrix_gives_the_same_factorisation():
    X, y, _ = table(80, 200)
    direct, gram = factorise(X, y), factorise_gram(X @ X.T, y)
    assert gram.eigenvalues == pytest.approx(direct.eigenvalues, rel=1e-9)
    assert gram.responses**2 == pytest.approx(direct.responses**2, rel=1e-6, abs=1e-9)


def test_duplicated_columns_are_a_lower_rank():
    X, y, _ = table(100, 30)
    once, twice = factorise(X, y), factorise(np.hstack([X, X]), y)
    assert twice.eigenvalues.size == 30
    assert twice.condition == np.inf
    assert twice.eigenvalues == pytest.approx(2 * once.eigenvalues, rel=1e-9)


def test_spectrum_finds_two_levels():
    n, p = 1000, 500
    tau = np.repeat([1.0, 10.0], [p // 2, p // 2])
    X, y, _ = table(n, p, tau=tau)
    centres, weight = spectrum(factorise(X, y))
    low = centres < 3
    assert weight.sum() == pytest.approx(p / n, rel=0.03)
    assert weight[low].sum() == pytest.approx(0.25, abs=0.04)
    assert centres[low] @ weight[low] / weight[low].sum() == pytest.approx(1.0, rel=0.1)
    assert centres[~low] @ weight[~low] / weight[~low].sum() == pytest.approx(10.0, rel=0.1)


def test_outliers():
    bulk = np.linspace(3.0, 1.0, 200)
    assert outliers(bulk) == 0
    assert outliers(np.concatenate([[40.0, 9.0], bulk])) == 2


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("noise", [0.5, 4.0])
def test_noise_variance(aspect, noise):
    """Averaged over draws: within its sampling error, and inside its 90% interval most of the time."""
    means, inside = [], 0
    for seed in range(8):
        X, y, _ = table(400, round(400 * aspect), noise, seed=seed)
        found = banded(factorise(X, y), np.random.default_rng(seed))
        low, high = np.quantile(found.noise_draws, [0.05, 0.95])
        means.append(found.noise_variance)
        inside += low <= noise <= high
    assert np.mean(means) == pytest.approx(noise, rel=0.08 if aspect < 2 else 0.2)
    assert inside >= 5


def test_spikes_of_the_population():
    """An outlying eigenvalue is traced back to its spike: tau = 21, and the energy b theta^2 behind it."""
    n, p = 1500, 750
    tau = np.ones(p)
    tau[0] = 21.0
    rng = np.random.default_rng(3)
    beta = rng.standard_normal(p)
    beta[0] = 0.0
    beta *= 1 / np.linalg.norm(beta)
    beta[0] = 1.0
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    found = banded(factorise(X, X @ beta + rng.standard_normal(n)), rng)
    population = found.population()
    assert found.outlying == 1
    assert population.eigenvalues[-1] == pytest.approx(21.0, rel=0.12)
    assert population.signal[-1] == pytest.approx(1.0, rel=0.12)
    assert population.null_risk == pytest.approx(22.0, rel=0.12)


@pytest.mark.parametrize("aspect", [0.5, 2.0])
def test_sample_and_estimated_population_give_the_same_limits(aspect):
    X, y, _ = table(1000, round(1000 * aspect))
    found = banded(factorise(X, y), np.random.default_rng(0))
    sample = found.equivalents()
    from freshmix.risks import frozen

    for w, penalty in [(1.0, 0.5), (0.6, 0.1), (0.3, 2.0)]:
        theory = fm.limit(found.population(), fm.Loop(aspect=aspect, penalty=penalty, real_weight=w)).risk
        assert float(frozen.limit_risk(sample, w, penalty)) == pytest.approx(theory, rel=0.05)


def test_same_seed_same_bits():
    X, y, _ = table(120, 60)
    f = factorise(X, y)
    one, two = (banded(f, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one.noise_draws, two.noise_draws)
    assert np.array_equal(one.signal_draws, two.signal_draws)


def two_level(n, p, part, noise, seed):
    """Eigenvalues 1 and 10 (a quarter), with this part of ||beta||^2 in the strong ones and null risk 2."""
    rng = np.random.default_rng(seed)
    tau = np.repeat([1.0, 10.0], [p - p // 4, p // 4])
    strong = tau > 1
    beta = rng.standard_normal(p)
    beta[strong] *= np.sqrt(part) / np.linalg.norm(beta[strong])
    beta[~strong] *= np.sqrt(1 - part) / np.linalg.norm(beta[~strong])
    beta *= np.sqrt(2.0 / (beta @ (tau * beta)))
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    return X, X @ beta + np.sqrt(noise) * rng.standard_normal(n), beta


def test_outlying_directions_leave_the_bands():
    """A spike's eigenvalue and share are counted once."""
    n, p = 800, 400
    tau = np.ones(p)
    tau[:2] = 30.0
    X, y, _ = table(n, p, tau=tau)
    found = fm.estimate(X, y)
    assert found.eigenvalues[:-2].max() < 2.0
    assert found.eigenvalues[-2:] == pytest.approx([30.0, 30.0], rel=0.2)
    assert found.shares[-2:] == pytest.approx(1 / p, rel=1e-6)
    assert found.shares @ found.eigenvalues == pytest.approx(tau.mean(), rel=0.05)


def test_estimated_population_is_a_population():
    X, y, _ = table(300, 150)
    found = fm.estimate(X, y, seed=3)
    assert isinstance(found, fm.Population)
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert again.intervals == found.intervals
    assert np.array_equal(again.signal_draws, found.signal_draws)
    loop = fm.Loop(aspect=0.5, penalty=0.3, real_weight=0.6)
    risks = [fm.limit(each, loop).risk for each in found.draws()]
    assert len(risks) == found.noise_draws.size
    # The risk is affine in (sigma^2, g): its posterior mean is that of the mean population.
    assert np.mean(risks) == pytest.approx(fm.limit(found, loop).risk, rel=0.05)
    assert fm.estimate(X, y, seed=3) == found


@pytest.mark.parametrize(("n", "p", "rank"), [(60, 20, 10), (40, 100, 15)])
def test_null_directions_are_atoms_of_eigenvalue_zero(n, p, rank):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, p))
    found = fm.estimate(X, X[:, 0] + rng.standard_normal(n))
    assert found.eigenvalues[-1] == 0
    assert found.shares[-1] == pytest.approx(1 - rank / p)
    assert found.shares.sum() == pytest.approx(1)


def test_refusals():
    X, y, _ = table(30, 5)
    with pytest.raises(ValueError, match="X must have a column that varies"):
        fm.estimate(np.ones((30, 2)), y)
    with pytest.raises(ValueError, match="seed must be"):
        fm.estimate(X, y, seed=-1)
    rng = np.random.default_rng(0)
    X, y = rng.uniform(-1, 1, (20, 3)), rng.uniform(-1, 1, 20)
    for scale in (1e-200, 1e200, 1e308):
        with pytest.raises(ValueError, match=r"X must (vary by 1e-70 to 1e\+70|be at most 1e\+300)"):
            fm.estimate(X * scale, y)
        with pytest.raises(ValueError, match=r"y must be between 1e-70 and 1e\+70"):
            fm.estimate(X, y * scale)


def test_no_signal_and_no_noise_have_one_sided_intervals():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 200))
    nothing = fm.estimate(X, rng.standard_normal(300))
    low, high = nothing.intervals["signal_to_noise_ratio"]
    assert low == 0
    assert 0 < high < 0.6
    assert nothing.null_risk > 0
    X = rng.standard_normal((300, 450))
    exact = fm.estimate(X, X @ rng.standard_normal(450) / 20)
    low, high = exact.intervals["noise_variance"]
    assert low == 0
    assert 0 < exact.noise_variance < high < 0.5


def test_credible_interval():
    draws = np.random.default_rng(0).exponential(size=200_000)
    assert credible(draws) == pytest.approx((0.0, np.log(10)), abs=0.03)  # equal tails would take 2.94
    low, high = credible(10 + np.random.default_rng(1).standard_normal(200_000))
    assert (low, high) == pytest.approx((10 - 1.645, 10 + 1.645), abs=0.08)
    ratio = credible(np.exp(0.7 * np.random.default_rng(1).standard_normal(200_000)))
    # From 0 to the 90% quantile would be shorter.
    assert ratio == pytest.approx((np.exp(-0.7 * 1.645), np.exp(0.7 * 1.645)), rel=0.03)
    wide = credible(10 + np.random.default_rng(1).standard_normal(200_000), 2.0)
    assert wide[1] - wide[0] == pytest.approx(2 * (high - low))


def test_the_wall_of_an_interval_is_what_is_left_without_a_signal():
    draws = np.abs(np.random.default_rng(0).standard_normal(100_000))
    assert credible(5 + draws, floor=np.full(draws.size, 5.0)) == pytest.approx((5.0, 5 + stats.norm.ppf(0.95)), abs=0.02)
    # Nothing piles up at a wall of 0.
    assert credible(5 + draws)[0] > 5.05


def test_moments_solve_their_two_equations():
    """On responses whose squares are exactly sigma^2 + (b/gamma) s, every route returns sigma^2."""
    X, y, _ = table(200, 120)
    f = factorise(X, y)
    routes = Routes.of(f, 0, np.array([1.0]))
    found = routes(2.0 + 0.7 * f.eigenvalues, 2.0)
    assert found["moments"] == pytest.approx(2.0, rel=1e-9)
    assert found["residual"] == 2.0
    assert found["leave_one_out"] == pytest.approx(2.0, rel=0.05)


def test_leave_one_out_needs_no_model_of_the_signal():
    """Anti-aligned signal misleads the moments; leave-one-out averages to the truth within its Monte Carlo error."""
    values, moments = [], []
    for seed in range(12):
        X, y, _ = two_level(400, 200, 0.0, 1.0, seed)
        found = banded(factorise(X, y), np.random.default_rng(seed)).noise_estimates
        values.append(found["leave_one_out"].value)
        moments.append(found["moments"].value)
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    assert abs(np.mean(values) - 1.0) < 3 * error + 0.02
    assert np.mean(moments) > 1.3


def test_disagreement_widens_every_interval():
    estimates = {"one": NoiseEstimate(1.0, 0.1, -5.0), "two": NoiseEstimate(1.0, 0.1, 0.3)}
    assert stretch(estimates) == 2.5
    assert stretch({"two": estimates["two"]}) == 1.0
    X, y, _ = table(200, 100)
    found = banded(factorise(X, y), np.random.default_rng(0))
    wide = replace(found, stretch=2.0, noise_estimates=estimates)
    for name, (low, high) in found.intervals().items():
        wider = wide.intervals()[name]
        assert wider[0] <= low
        assert wider[1] >= high
    assert any("by one and" in each for each in wide.doubts())


@pytest.mark.parametrize("p", [250, 500, 1000])
def test_leak_of_a_spike(p):
    """Squared responses of a signal along the spike alone, in the quarters of the other directions."""
    rng = np.random.default_rng(p)
    seen, said = np.zeros(4), np.zeros(4)
    for _ in range(12):
        X = rng.standard_normal((500, p))
        X[:, 0] *= 4.0
        f = factorise(X, X[:, 0])
        assert outliers(f.eigenvalues) == 1
        leak = leaks(f, 1)[:, 0] * f.responses[0] ** 2
        assert leak[0] == 0
        for i, part in enumerate(np.array_split(np.arange(1, f.eigenvalues.size), 4)):
            seen[i] += (f.responses[part] ** 2).mean()
            said[i] += leak[part].mean()
    assert said[1:] == pytest.approx(seen[1:], rel=0.15)
    # Smoothing overdoes it near the edge.
    assert 0.9 * seen[0] < said[0] < 1.5 * seen[0]


def test_a_signal_that_all_rows_show_is_known():
    """With many rows for each feature the null risk of this table's own coefficients, not that of their kind."""
    rng = np.random.default_rng(4)
    for size in (0.1, 1.0):
        X, beta = rng.standard_normal((20_000, 20)), size * rng.standard_normal(20) / np.sqrt(20)
        found = fm.estimate(X, X @ beta + rng.standard_normal(20_000))
        low, high = found.intervals["null_risk"]
        null = beta @ beta
        assert low < null < high
        # The rows leave 2 |beta| sigma / sqrt(n), and their own covariance sqrt(2 / n).
        assert high - low < 5 * (2 * np.sqrt(null / 20_000) + 0.01 * null)
        assert found.null_risk == pytest.approx(null, abs=high - low)


def test_energies_given_the_responses():
    """Draws of the realised energies against a naive simulation of coefficients, kept where the responses are alike."""
    rng = np.random.default_rng(5)
    profile, count = np.array([[2.0], [0.5], [0.0]]), np.array([3.0, 5.0, 4.0])
    energy = np.array([9.0, 4.0, 4.0])
    model = Posterior(count, energy, profile, np.array([0.2, 0.1, 0.0]), np.ones(1), np.zeros(1), 1.0)
    m = 400_000
    # Signal of bin i given sum c^2: noncentral chi-squared, by drawing each direction's signal given its c.
    total = np.zeros(m)
    for i in range(2):
        variance, other = 1.5 * profile[i, 0], 0.8 + model.leak[i]
        c = rng.standard_normal((m, int(count[i])))
        c *= np.sqrt(energy[i]) / np.linalg.norm(c, axis=1, keepdims=True)
        kept = variance / (variance + other)
        total += ((kept * c + np.sqrt(kept * other) * rng.standard_normal(c.shape)) ** 2).sum(axis=1)
    # 8 of the band's 10 coefficients show.
    naive = (total / (profile[:2, 0] @ count[:2]) * 8 + rng.chisquare(2, m) * 1.5) / 10
    found = model.realised(np.full(m, 0.8), np.full((m, 1), 1.5), np.array([10.0]), rng)[:, 0]
    assert found.mean() == pytest.approx(naive.mean(), abs=5 * naive.std() * np.sqrt(2 / m))
    assert np.quantile(found, [0.05, 0.5, 0.95]) == pytest.approx(np.quantile(naive, [0.05, 0.5, 0.95]), rel=0.01)


def posterior_of(n, p, seed=0, noise=1.0):
    X, y, _ = table(n, p, noise=noise, tau=np.geomspace(1, 0.05, p), seed=seed)
    f = factorise(X, y)
    tau, weight = spectrum(f)
    return Posterior.of(f, 0, tau, weight, profiles(f, tau), np.zeros(f.eigenvalues.size))


def test_parameters_of_the_prior():
    """The posterior is finite there, and scale and share mean what the priors say."""
    model = posterior_of(100, 50)
    uniform = np.random.default_rng(0).uniform(size=(4000, model.size))
    theta = model.prior(uniform)
    assert np.isfinite(model.log_posterior(theta)).all()
    noise, signal = model.parameters(theta)
    # The share of the mean variance is what the second parameter says, and uniform.
    mean = noise + signal @ (model.count @ model.profile) / model.count.sum()
    assert mean == pytest.approx(np.exp(theta[:, 0]), rel=1e-9)
    assert noise / mean == pytest.approx(1 - uniform[:, 1], rel=1e-6, abs=1e-9)
    # Up to a constant, its density is the product of those of its parameters.
    apart = model.log_prior(theta) - sum(
        law.logpdf(theta[:, i])
        for i, law in enumerate(
            [stats.norm(np.log(model.scale), 0.5), stats.logistic(), stats.norm(np.log(0.5), 0.8), stats.t(4)]
            + [stats.norm()] * (model.size - 4)
        )
    )
    assert np.ptp(apart) < 1e-9


@pytest.mark.parametrize(("n", "p", "noise"), [(60, 30, 1.0), (40, 80, 0.3), (400, 20, 5.0)])
def test_posterior_means_against_quadrature(n, p, noise):
    """One band leaves two parameters that count, scale and share."""
    model = posterior_of(n, p, noise=noise)
    one = replace(model, profile=model.profile[:, :1], weight=model.weight[:1], log_tau=np.zeros(1))
    found_noise, found_signal = one.sample()
    scale, share = np.meshgrid(np.log(one.scale) + np.linspace(-2, 2, 401), np.linspace(-12, 12, 1201), indexing="ij")
    theta = np.zeros((scale.size, one.size))
    theta[:, 0], theta[:, 1] = scale.ravel(), share.ravel()
    logs = one.log_posterior(theta)
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    noise, signal = one.parameters(theta)
    assert found_noise.size == DRAWS
    assert found_noise.mean() == pytest.approx(weight @ noise, rel=2e-3)
    assert found_signal.mean() == pytest.approx(weight @ signal[:, 0], rel=2e-3)
    order = np.argsort(noise)
    ends = np.quantile(found_noise, [0.05, 0.5, 0.95])
    assert np.interp(ends, noise[order], np.cumsum(weight[order])) == pytest.approx([0.05, 0.5, 0.95], abs=0.01)


def test_the_seed_moves_no_estimate():
    X, y, _ = table(90, 30, tau=np.geomspace(10, 0.1, 30))
    first, second = (fm.recommend(X, y, seed=seed) for seed in (0, 1))
    for name in ("penalty", "real_weight", "risk", "noise_variance"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), rel=5e-3)
    for name, ends in first.intervals.items():
        assert ends == pytest.approx(second.intervals[name], abs=0.4 * (ends[1] - ends[0]))
    # Other quasi-random points give nearly the same means.
    model = posterior_of(90, 30)
    priors = model.prior, lambda uniform: model.prior(1 - uniform)
    means = [importance_sample(model.size, prior, model.log_likelihood, model.log_posterior) for prior in priors]
    noise = [weight @ model.parameters(theta)[0] for theta, weight in means]
    assert noise[0] == pytest.approx(noise[1], rel=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("part", [0.02, 0.25, 0.95])
def test_coverage_of_noise_and_null_risk(part):
    """90% intervals hold the truth in at least 32 of 42 draws (binomial, 90%: fewer in one run of 300)."""
    inside = {"noise_variance": 0, "null_risk": 0}
    draws = 0
    for aspect in (0.5, 1.0, 2.0):
        for seed in range(14):
            X, y, _ = two_level(400, round(400 * aspect), part, 2.0, seed)
            found = banded(factorise(X, y), np.random.default_rng(seed)).intervals()
            draws += 1
            for name, truth in (("noise_variance", 2.0), ("null_risk", 2.0)):
                low, high = found[name]
                inside[name] += low <= truth <= high
    assert draws == 42
    assert min(inside.values()) >= 32, inside


@pytest.mark.parametrize("response", [0.3, 1.5, 4.0, 30.0])
@pytest.mark.parametrize("level", [0.01, 1.0, 50.0])
def test_signal_of_an_outlying_direction(response, level):
    """Against the horseshoe posterior by quadrature over the signal's scale."""
    draws = outlying_signal(np.array([response]), np.ones(20_000), np.full(20_000, level), np.random.default_rng(0))
    lam = np.geomspace(1e-5, 1e7, 40_001)
    ratio = level * lam**2
    kept = ratio / (1 + ratio)
    weight = lam / (1 + lam**2) / np.sqrt(1 + ratio) * np.exp(-(response**2) / (1 + ratio) / 2)
    mean = weight @ (kept**2 * response**2 + kept) / weight.sum()
    error = draws.std() / np.sqrt(draws.size)
    # The grid of scales costs up to 2%.
    assert abs(draws.mean() - mean) < 4 * error + 0.02 * mean
    if response == 30:
        assert abs(mean / response**2 - 1) < 0.01
    if response < 2 and level < 1:
        assert mean < 0.3


def test_noise_in_outlying_directions_is_not_taken_for_signal():
    rng = np.random.default_rng(5)
    spikes = fm.Population.power_law(1.0, 250).eigenvalues
    found, cut = [], []
    for _ in range(10):
        X = rng.standard_normal((500, 250)) * np.sqrt(spikes)
        estimate = banded(factorise(X, rng.standard_normal(500)), np.random.default_rng(0))
        assert estimate.outlying >= 10
        found.append(estimate.outlying_signal.sum())
        cut.append(np.maximum(estimate.factorisation.responses[: estimate.outlying] ** 2 - 1, 0).sum())
    # 0.66 on 20 tables.
    assert np.mean(found) < 0.75 * np.mean(cut)


def naive_kurtosis(X, y, penalty):
    """Excess kurtosis and mean square of leave-one-out errors, by as many fits as rows."""
    errors = []
    for i in range(y.size):
        rest = np.arange(y.size) != i
        mean = X[rest].mean(axis=0)
        centred = X[rest] - mean
        beta = np.linalg.solve(centred.T @ centred + y.size * penalty * np.eye(X.shape[1]), centred.T @ y[rest])
        errors.append(y[i] - y[rest].mean() - (X[i] - mean) @ beta)
    squares = np.square(errors)
    return np.mean(squares**2) / np.mean(squares) ** 2 - 3, np.mean(squares)


@pytest.mark.parametrize(("n", "p"), [(150, 60), (120, 180)])
def test_tails_against_leaving_rows_out(n, p):
    rng = np.random.default_rng(11)
    X = rng.standard_normal((n, p))
    signal = X @ rng.standard_normal(p) / np.sqrt(p)
    noise = rng.standard_normal(n)
    noise[:5] *= 4
    y = signal + noise
    f = factorise(X, y)
    z = f.eigenvalues.mean() * np.geomspace(1e-2, 1e2, 30)
    free = (z[:, None] / np.add.outer(z, f.eigenvalues)).sum(axis=1) + f.zeros
    curve = [
        ((z_k / (f.eigenvalues + z_k)) ** 2 @ f.responses**2 + f.zero_energy) / d**2 for z_k, d in zip(z, free, strict=True)
    ]
    kurtosis, square = naive_kurtosis(X, y, z[int(np.argmin(curve))])
    assert kurtosis > 3
    np.testing.assert_allclose(f.tail_error, np.sqrt(kurtosis / n) * square, rtol=0.15)
    np.testing.assert_allclose(factorise_gram(X @ X.T, y).tail_error, f.tail_error, rtol=1e-6)
    noise[:5] /= 4
    gaussian = signal + noise
    assert factorise(X, gaussian).tail_error == 0
    heavy, light = (banded(factorise(X, each), np.random.default_rng(0)) for each in (y, gaussian))
    assert heavy.tails > 0.1
    assert any("heavy tails" in each for each in heavy.doubts())
    assert light.tails == 0
    assert not light.doubts()


@pytest.mark.slow
def test_noise_of_heavy_tails_is_covered_more_often():
    """A t distribution of 5 degrees of freedom, excess kurtosis 6: intervals for gaussian noise cover about 70%."""
    inside = []
    for seed in range(100):
        rng = np.random.default_rng([seed, 77])
        X = rng.standard_normal((400, 200))
        y = X @ rng.standard_normal(200) / np.sqrt(200) + rng.standard_t(5, 400) / np.sqrt(5 / 3)
        low, high = banded(factorise(X, y), rng).intervals()["noise_variance"]
        inside.append(low <= 1 <= high)
    assert np.mean(inside) > 0.8


def _companion_design(seed, points=30, bands=6):
    """Profiles of bands over penalties, and left sides that they explain nearly: columns that are nearly dependent."""
    rng = np.random.default_rng(seed)
    tau, v = np.geomspace(1e-2, 1, bands), 1 / (np.geomspace(1e-2, 1e2, points) + 0.1)
    design = np.column_stack([np.ones(points), tau / (1 + np.multiply.outer(v, tau)) ** 2])
    mix = np.exp(2 * rng.standard_normal(bands + 1)) * (rng.uniform(size=bands + 1) < 0.6) / design.max(axis=0)
    left = (design @ mix + 1e-9) * (1 + rng.choice([0, 1e-3, 0.01]) * rng.standard_normal(points))
    return design / left[:, None]


@pytest.mark.parametrize("seed", [340, 5620, *range(40)])
def test_nonnegative_least_squares_never_stops(seed):
    # The first two send scipy 1.17's nnls to its step limit, as the noise of the table Hitters does.
    design, target = _companion_design(seed), np.ones(30)
    found = nonnegative(design, target)
    # The conditions of Karush, Kuhn and Tucker, for columns of length 1.
    length = np.linalg.norm(design, axis=0)
    slope = design.T @ (design @ found - target) / length
    assert found.min() >= 0
    assert slope.min() > -1e-10
    assert np.abs(slope * found * length).max() < 1e-10
    try:
        assert np.array_equal(found, nnls(design, target)[0])
    except RuntimeError:
        assert seed in (340, 5620)


def test_nonnegative_least_squares_beyond_its_step_limit(monkeypatch):
    designs = [_companion_design(seed) for seed in range(20)]
    known = [nonnegative(design, np.ones(30)) for design in designs]
    module = sys.modules["freshmix.estimation.nonnegative"]
    monkeypatch.setattr(module, "nnls", lambda A, b: nnls(A, b, maxiter=1))
    for design, before in zip(designs, known, strict=True):
        found = nonnegative(design, np.ones(30))
        assert np.linalg.norm(design @ found - 1) == pytest.approx(np.linalg.norm(design @ before - 1), rel=1e-9, abs=1e-12)
    assert not nonnegative(np.column_stack([np.zeros(30), designs[0]]), np.ones(30))[0]
