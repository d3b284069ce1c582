"""Textbook versions, written from the definitions and slow, for tests only (mathematics.md sections 1 to 4).

Nothing here uses the package's formulas: dense refits, dense conditional expectations, 50-digit arithmetic, plain
quadrature with as many nodes as it takes.
"""

import functools
import math
from types import SimpleNamespace

import mpmath as mp
import numpy as np

import freshmix as fm

DIGITS = 50

# One of each kind: every law is checked on all of them.
POPULATIONS = {
    "isotropic": fm.Population.isotropic(2.0),
    "noiseless": fm.Population.isotropic(2.0, noise_variance=0.0),
    "random effects": fm.Population.random_effects([0.5, 2.0], [0.6, 0.4], 3.0),
    "spiked": fm.Population.spiked(10.0, 0.7),
    "spiked, finite": fm.Population.spiked(10.0, 0.7, features=50),
    "two level": fm.Population.two_level(10.0, 0.25, 0.9, 2.0, 0.3),
    "autoregressive": fm.Population.autoregressive(0.5, 40),
    "equicorrelated": fm.Population.equicorrelated(0.3, 40),
    "power law": fm.Population.power_law(1.0, 30, source=1.0, noise_variance=0.05),
    "covariance": fm.Population.from_covariance([[2.0, 0.5], [0.5, 1.0]], [1.0, -1.0]),
    "rank deficient": fm.Population([0.0, 1.0, 4.0], [0.2, 0.5, 0.3], [1.0, 1.0, 0.5], 1.5),
}


# What the words for labels stand for: the share of the noise variance that is drawn anew in each generation.
RENEWALS = {"fresh": 1.0, "frozen": 0.0}

# Dense refits and dense conditional expectations (section 1).


def fit(X, labels, penalty):
    """(S + lambda I)^-1 X'(label)/n, or the pseudo-inverse: (p,) or (p, replicates)."""
    n, p = X.shape
    if penalty == 0:
        return np.linalg.pinv(X) @ labels
    return np.linalg.solve(X.T @ X / n + penalty * np.eye(p), X.T @ labels / n)


def refits(X, beta, sigma, noise_variance, rho, weights, penalty, labels, rng, replicates, anchor=0.0):
    """(T + 1, replicates) excess risks of loops that were run: draw labels, mix them, fit to what the anchor leaves, again."""
    renewal = RENEWALS.get(labels, labels)

    def noise(variance):
        return np.sqrt(variance) * rng.standard_normal((len(X), replicates))

    def excess(bhat):
        error = bhat - beta[:, None]
        return np.einsum("ir,ij,jr->r", error, sigma, error)

    # The fit is linear in the labels, and X stays.
    L = fit(X, np.eye(len(X)), penalty)
    same = (X @ beta)[:, None] + noise((1 - renewal) * noise_variance)
    bhat = L @ (same + noise(renewal * noise_variance))
    risks = [excess(bhat)]
    for w in weights:
        real = same + noise(renewal * noise_variance)
        synthetic = X @ bhat + noise(rho * noise_variance)
        pull = anchor * bhat
        bhat = pull + L @ (w * real + (1 - w) * synthetic - X @ pull)
        risks.append(excess(bhat))
    return np.array(risks)


def conditional_risk(X, beta, sigma, noise_variance, rho, weights, penalty, labels, anchor=0.0):
    """(T + 1,) E[excess risk | X], exactly: mean and covariance of bhat_t as dense matrices.

    bhat_t = L (mixed label) + anchor (I - L X) bhat_(t-1), L = fit(X, I): mean L X (w beta + (1-w) mean) and the like; of
    the covariance, what the noise brings that every label of a row has, and what each generation's own noise brings.
    """
    renewal = RENEWALS.get(labels, labels)
    L = fit(X, np.eye(len(X)), penalty)
    P = L @ X
    mean, same, own = P @ beta, L, renewal * (L @ L.T)

    def excess():
        covariance = noise_variance * ((1 - renewal) * same @ same.T + own)
        return (mean - beta) @ sigma @ (mean - beta) + np.sum(sigma * covariance)

    risks = [excess()]
    for w in weights:
        past = (1 - w) * P + anchor * (np.eye(len(beta)) - P)
        mean = w * P @ beta + past @ mean
        same = w * L + past @ same
        own = (renewal * w**2 + rho * (1 - w) ** 2) * (L @ L.T) + past @ own @ past.T
        risks.append(excess())
    return np.array(risks)


def draw(population, n, p, rng):
    """X (n, p), beta and Sigma: Gaussian rows, beta uniform on each eigenspace's sphere, a spike one eigenvalue."""
    counts = np.round(population.shares * p).astype(int)
    counts[(counts == 0) & (population.signal > 0)] = 1
    counts[np.argmax(counts)] += p - counts.sum()
    beta = []
    for count, energy in zip(counts, population.signal, strict=True):
        part = rng.standard_normal(count)
        beta.append(np.sqrt(energy) * part / np.linalg.norm(part) if count else part)
    tau = np.repeat(population.eigenvalues, counts)
    X = rng.standard_normal((n, p)) * np.sqrt(tau)
    if population.row_sizes is not None:
        sizes, shares = population.row_sizes
        # Their shares, not draws of them: less to average over.
        X *= np.sqrt(np.repeat(sizes, np.diff(np.round(n * np.append(0, np.cumsum(shares))).astype(int))))[:, None]
    return X, np.concatenate(beta), np.diag(tau)


# Fresh covariates, one step at a time (section 5).


def remembered_risk(population, loops, generations, judged="now"):
    """(T + 1,) risks by the general step, every vector that was ever fitted to kept in a Gram matrix an atom; penalty > 0.

    Vectors: the coefficients of generations 0 ... t, then the last model.
    """
    tau, h, g, c = population.eigenvalues, population.shares, population.signal, population.persistence
    sizes = ([1.0], [1.0]) if population.row_sizes is None else population.row_sizes
    G = np.zeros((tau.size, 2, 2))
    G[:, 0, 0] = g
    risks, rows = [], []
    for t in range(generations + 1):
        loop = loops[min(max(t, 1), len(loops)) - 1]
        if t:
            G = np.insert(np.insert(G, t, c * G[:, t - 1], axis=1), t, 0.0, axis=2)
            G[:, :, t] = G[:, t]
            G[:, t, t] = g
        last = np.eye(t + 2)[-1]
        own = [fm.Group(1.0)] if t == 0 else loop.groups_at(t)
        scale = loop.first_rows / loop.aspect if t == 0 else 1 / loop.aspect  # rows over features
        parts = []  # rows over features, row weight, theta, noise over that of real labels
        for group in own:
            w = group.real_weight
            theta = w * np.eye(t + 2)[t] + (1 - w) * last
            noise = w**2 + loop.synthetic_noise_ratio * (1 - w) ** 2
            parts.append((scale * group.share, group.row_weight, theta, noise))
        rows.append([(scale * group.share, group.row_weight) for group in own if group.labelled])
        kept = t if loop.kept_generations is None else min(t, loop.kept_generations)
        for age in range(1, kept + 1):
            for count, weight in rows[t - age]:
                parts.append((count, weight * loop.forgetting**age, np.eye(t + 2)[t - age], 1.0))
        total = sum(part[0] for part in parts)
        split = [
            (count / total * pi, weight * b, theta, population.noise_variance * noise / b)
            for count, weight, theta, noise in parts
            for b, pi in zip(*sizes, strict=True)
        ]
        G = _general_step(tau, h / total, G, split, loop.penalty, 0.0 if t == 0 else loop.anchor * last)
        with_next = c if judged == "next" else 1.0
        risks.append(tau @ (G[:, -1, -1] - 2 * with_next * G[:, -1, t] + g))
    return np.array(risks)


def _general_step(tau, gamma_h, G, groups, lam, anchor):
    """The Gram matrices with the new model in place of the last one."""
    f, a, theta, s = (np.array(part) for part in zip(*groups, strict=True))

    def at(delta):
        v = f * a / ((1 + a * delta) * lam)
        return v, 1 / (1 + v.sum() * tau)

    low, high = 0.0, gamma_h @ tau / lam
    for _ in range(200):
        delta = (low + high) / 2
        low, high = (delta, high) if gamma_h @ (tau * at(delta)[1]) / lam > delta else (low, delta)
    v, d = at(delta)
    bbar = d[:, None] * (anchor + tau[:, None] * (v @ theta))
    away = theta - bbar[:, None, :]
    r = tau @ np.einsum("jki,jil,jkl->jk", away, G, away)
    q = v**2 / f
    N = q @ (s + r) / (1 - q.sum() * (gamma_h @ (tau * d) ** 2))
    inner = np.einsum("ji,jil->jl", bbar, G)
    square = np.einsum("jl,jl->j", inner, bbar) + N * gamma_h * tau * d**2
    G = G.copy()
    G[:, -1, :] = G[:, :, -1] = inner
    G[:, -1, -1] = square
    return G


# The companion equation and the printed formulas in 50 digits (sections 2 to 4).


@mp.workdps(DIGITS)
def exact(population, aspect):
    """(gamma h_j / sum h, tau_j, g_j), exactly what the floats say."""
    shares = [mp.mpf(float(h)) for h in population.shares]
    weights = [mp.mpf(float(aspect)) * h / mp.fsum(shares) for h in shares]
    tau, g = ([mp.mpf(float(value)) for value in part] for part in (population.eigenvalues, population.signal))
    return list(zip(weights, tau, g, strict=True))


@functools.cache
@mp.workdps(DIGITS)
def companion(population, aspect, z):
    """(v, slope) of 1/v = z + gamma sum h tau / (1 + tau v), by bisection in log v; v = inf where there is no root.

    The slope is that of z v + gamma sum h tau v / (1 + tau v) in log v: rounded inputs move log v by their size over it.
    """
    z = mp.mpf(z)
    weights = [(h, tau) for h, tau, _ in exact(population, aspect) if tau > 0]
    if z == 0 and mp.fsum(h for h, _ in weights) <= 1:
        return mp.inf, mp.mpf(0)

    def excess(log_v):
        v = mp.exp(log_v)
        return z * v + mp.fsum(h * tau * v / (1 + tau * v) for h, tau in weights) - 1

    low = -mp.log(z + mp.fsum(h * tau for h, tau in weights)) - 1
    high = low + 1
    while excess(high) < 0:
        high += 8
    while high - low > mp.mpf(10) ** (4 - DIGITS) * max(1, abs(high)):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    v = mp.exp((low + high) / 2)
    return v, z * v + mp.fsum(h * tau * v / (1 + tau * v) ** 2 for h, tau in weights)


@mp.workdps(DIGITS)
def traces(population, aspect, z):
    """v, d, x, T(z), B(z) and Vr(z) as section 2 prints them."""
    atoms, (v, _) = exact(population, aspect), companion(population, aspect, z)
    d = [mp.mpf(0) if tau and mp.isinf(v) else 1 / (1 + tau * v) if tau else mp.mpf(1) for _, tau, _ in atoms]
    x = mp.fsum(h * (1 - dj) ** 2 for (h, _, _), dj in zip(atoms, d, strict=True))
    bias = mp.fsum(tau * g * dj**2 for (_, tau, g), dj in zip(atoms, d, strict=True))
    trace = 1 / (mp.mpf(z) * v) - 1 if z else mp.nan
    return SimpleNamespace(v=v, d=d, x=x, T=trace, B=bias / (1 - x), Vr=x / (1 - x))


@mp.workdps(DIGITS)
def printed(at, noise_variance, loop, null=None, mean_trace=None):
    """The limit as sections 3 and 4 print it, for any source of T, B and Vr at z: the difference that cancels included."""
    w, lam = mp.mpf(loop.weights(1)[0]), mp.mpf(loop.penalty)
    rho, sigma2 = mp.mpf(loop.synthetic_noise_ratio), mp.mpf(noise_variance)
    if lam == 0:
        here = at(mp.mpf(0))
        memory = (w**2 + rho * (1 - w) ** 2) / (w * (2 - w))
        if loop.labels == "frozen":
            memory = 1 + rho * (1 - w) ** 2 / (w * (2 - w))
        return here.B + sigma2 * memory * here.Vr
    if w == 0:
        return null + rho * sigma2 / (2 * lam) * (mean_trace - lam / 2 * at(lam / 2).T)
    one, two = at(lam / w), at(lam / (2 - w))
    if w == 1:
        return one.B + sigma2 * one.Vr
    bracket = (one.T / w - two.T / (2 - w)) / (2 * (1 - w))
    if loop.labels == "fresh":
        return one.B + sigma2 * (w**2 + rho * (1 - w) ** 2) * bracket
    return one.B + sigma2 * one.Vr + rho * sigma2 * (1 - w) ** 2 * bracket


@mp.workdps(DIGITS)
def printed_limit(population, loop):
    """``printed`` for a population."""
    atoms = exact(population, loop.aspect)
    null = mp.fsum(tau * g for _, tau, g in atoms)
    mean_trace = mp.fsum(h * tau for h, tau, _ in atoms)
    return printed(lambda z: traces(population, loop.aspect, z), population.noise_variance, loop, null, mean_trace)


# The risk by generation, by plain quadrature (sections 1 to 3).


def modes(s, weights, penalty, rho, labels):
    """Bias and variance filters (T + 1, ...) at eigenvalues s of S: ``conditional_risk`` for a 1 x 1 matrix S = s.

    L L' is s/(s+lambda)^2 / n there, and P is s/(s+lambda). Holds at complex s too.
    """
    fitted, P = s / (s + penalty) ** 2, s / (s + penalty)
    mean, first, own = P, np.ones_like(s), np.zeros_like(s)  # first: in units of L
    rows = [(1 - mean, fitted)]
    for w in weights:
        mean = P * (w + (1 - w) * mean)
        fresh = rho * (1 - w) ** 2 + (w**2 if labels == "fresh" else 0.0)
        own = fresh * fitted + ((1 - w) * P) ** 2 * own
        first = (1 - w) * P * first + (w if labels == "frozen" else 0.0)
        rows.append((1 - mean, fitted * first**2 + own))
    return np.array([e for e, _ in rows]), np.array([u for _, u in rows])


def marchenko_pastur_risk(population, loop, generations):
    """Isotropic population: the filters integrated over the Marchenko-Pastur law of S, its atom at 0 included.

    s = 1 + gamma - 2 sqrt(gamma) cos theta takes both square roots out of the density, and the midpoint rule in theta
    then converges geometrically, at a rate set by the pole of the density at s = 0 (gamma = 1: of the filters).
    """
    gamma, root = loop.aspect, np.sqrt(loop.aspect)
    nodes = 1000 + int(50 / math.sqrt((1 - root) ** 2 / root if gamma != 1 else loop.penalty))
    theta = np.pi * (np.arange(nodes) + 0.5) / nodes
    s = (1 - root) ** 2 + 4 * root * np.sin(theta / 2) ** 2
    mass = 2 * np.sin(theta) ** 2 / s / nodes
    e, u = modes(s, loop.weights(generations), loop.penalty, loop.synthetic_noise_ratio, loop.labels)
    atom = max(1 - 1 / gamma, 0.0)
    return population.null_risk * (e**2 @ mass + atom) + population.noise_variance * gamma * (u @ mass)


def companion_roots(population, aspect, z):
    """v at complex z: the companion equation as a polynomial of degree atoms + 1, the root with Im v Im z < 0."""
    tau, weight = population.eigenvalues, aspect * population.shares / population.shares.sum()
    factors = [np.poly1d([t, 1.0]) for t in tau]
    full = math.prod(factors)
    parts = sum(math.prod(factors[:j] + factors[j + 1 :], start=np.poly1d([weight[j] * tau[j]])) for j in range(tau.size))
    v = np.poly1d([1.0, 0.0])
    result = []
    for point in z:
        roots = (full - v * (full * point + parts)).roots
        result.append(roots[np.argmin(roots.imag * np.sign(point.imag))])
    return np.array(result)


def ellipse_risk(population, loop, generations, nodes):
    """A spectrum of a few atoms: Cauchy's formula on an ellipse in the plane of s itself, kernel k as printed.

    The ellipse has its foci at 0 and s_max and crosses the real axis at -0.4 lambda.
    """
    tau, energy, weight = population.eigenvalues, population.eigenvalues * population.signal, loop.aspect * population.shares
    high = tau.max() * (1 + np.sqrt(loop.aspect)) ** 2
    reach = 1 + 0.8 * loop.penalty / high
    u = (reach + np.sqrt(reach**2 - 1)) * np.exp(2j * np.pi * (np.arange(nodes) + 0.5) / nodes)
    zeta, c = high / 2 * (1 + (u + 1 / u) / 2), high / 4 * (u - 1 / u) / nodes
    m = companion_roots(population, loop.aspect, -zeta)
    d = 1 / (1 + np.multiply.outer(m, tau))
    slope = 1 / (1 / m**2 - (d * tau) ** 2 @ weight)
    apart = np.subtract.outer(zeta, zeta)
    np.fill_diagonal(apart, 1.0)
    ratio = np.subtract.outer(m, m) / (apart * np.multiply.outer(m, m))
    np.fill_diagonal(ratio, slope / m**2)
    kernel = (d * energy) @ d.T * ratio / np.multiply.outer(zeta, zeta)
    e, u_filter = modes(zeta, loop.weights(generations), loop.penalty, loop.synthetic_noise_ratio, loop.labels)
    bias = np.einsum("ta,ta->t", (e * c) @ kernel, e * c).real
    return bias + population.noise_variance * (u_filter @ (c * (1 + 1 / (zeta * m)))).real


@mp.workdps(DIGITS)
def precise_risk(population, loop, generations, nodes):
    """Generation T of a spectrum of a few atoms in 50 digits, gamma < 1, on the contour (a) of section 3."""
    atoms = [(h, tau, g) for h, tau, g in exact(population, loop.aspect) if tau > 0]
    root = mp.sqrt(mp.fsum(h for h, _, _ in atoms))
    low, high = min(t for _, t, _ in atoms) * (1 - root) ** 2, max(t for _, t, _ in atoms) * (1 + root) ** 2
    ratio, centre = mp.sqrt(low / high), mp.sqrt(low * high)
    k = (1 - ratio) / (1 + ratio)
    half, other = mp.ellipk(k**2), mp.ellipk(1 - k**2)
    points = []  # zeta, weight, v(-zeta), d_j
    for i in range(nodes):
        x = half * (2 * i + 1 - nodes) / mp.mpf(nodes) + other / 2 * 1j
        sn, cn, dn = (mp.ellipfun(name, x, m=k**2) for name in ("sn", "cn", "dn"))
        zeta = centre * (1 / k + sn) / (1 / k - sn)
        weight = -centre * (2 / k) * cn * dn / (1 / k - sn) ** 2 * (2 * half / nodes) / (2j * mp.pi)
        v = mp.findroot(lambda v, z=-zeta: 1 - z * v - sum(h * t * v / (1 + t * v) for h, t, _ in atoms), _start(atoms, -zeta))
        assert v.imag * zeta.imag > 0
        points.append((zeta, weight, v, [1 / (1 + t * v) for _, t, _ in atoms]))
    filters = [
        modes(zeta, loop.weights(generations), loop.penalty, loop.synthetic_noise_ratio, loop.labels) for zeta, *_ in points
    ]
    parts = [(z, c * f[0][-1], v, d) for (z, c, v, d), f in zip(points, filters, strict=True)]
    bias = mp.mpf(0)
    for a, one in enumerate(parts):
        for b, two in enumerate(parts):
            for mirrored in (False, True):
                z, e, v, d = (two[0].conjugate(), two[1].conjugate(), two[2].conjugate(), [x.conjugate() for x in two[3]])
                z, e, v, d = (z, e, v, d) if mirrored else two
                if a == b and not mirrored:
                    square = sum(h * (t * x) ** 2 for (h, t, _), x in zip(atoms, d, strict=True))
                    change = 1 / (1 - v**2 * square)
                else:
                    change = (one[2] - v) / ((one[0] - z) * one[2] * v)
                energy = sum(t * g * x * y for (_, t, g), x, y in zip(atoms, one[3], d, strict=True))
                bias += 2 * mp.re(one[1] * e * energy * change / (one[0] * z))
    # (1/n) tr Sigma (zeta - S)^-1 = 1 + 1/(zeta v).
    variance = sum(2 * mp.re(c * f[1][-1] * (1 + 1 / (zeta * v))) for (zeta, c, v, _), f in zip(points, filters, strict=True))
    return bias + population.noise_variance * variance


def _start(atoms, z):
    """A first guess of v at complex z: halfway along the fixed-point map, which never leaves its half plane."""
    v = 1 / z
    for _ in range(200):
        v = (v + 1 / (z + sum(h * t / (1 + t * v) for h, t, _ in atoms))) / 2
    return v
