"""``fm.estimate_teacher``: what an outside model's predictions on labelled rows say of it (mathematics.md sections 5 and 7)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import Floats
from ..population import Population
from ..teacher import Teacher
from .estimated import EstimatedPopulation, estimate

# A teacher without any noise is given this part of its spread: no posterior is of labels without noise.
_DUST = 1e-4
Matrix = tuple[Floats | float, Floats | float, Floats | float]  # a symmetric one of two: its corners and what is between


@dataclass(frozen=True, eq=False)
class TeacherEstimate:
    """Populations on the same bands behind the real labels, the teacher's, and what these are off by.

    ``rows`` (n, p) and the columns of ``labels`` (n, 2), real and the teacher's, are what they were estimated from.
    """

    rows: Floats
    labels: Floats
    real: EstimatedPopulation
    taught: EstimatedPopulation
    apart: EstimatedPopulation

    @classmethod
    def of(cls, rows: Floats, labels: Floats, said: Floats, seed: int) -> "TeacherEstimate":
        """From rows with both labels; each with draws of its own."""
        said = said + _DUST * said.std() * np.random.default_rng(seed).standard_normal(said.size)
        found = (estimate(rows, each, seed=seed) for each in (labels, said, said - labels))
        return cls(rows, np.column_stack([labels, said]), *found)

    @property
    def population(self) -> Population:
        """That behind the real labels."""
        known = self.real
        return Population(known.eigenvalues, known.shares, known.signal, known.noise_variance, known.row_sizes)

    @property
    def teacher(self) -> Teacher:
        """Beside it: 2 <phi, beta> = |beta|^2 + |phi|^2 - |phi - beta|^2, and the same of noises; within what is possible."""
        real, taught, apart = self.real, self.taught, self.apart
        most = np.sqrt(real.signal * taught.signal)
        alignment = np.clip((real.signal + taught.signal - apart.signal) / 2, -most, most)
        highest = np.sqrt(real.noise_variance * taught.noise_variance)
        shared = np.clip((real.noise_variance + taught.noise_variance - apart.noise_variance) / 2, -highest, highest)
        return Teacher(taught.signal, alignment, taught.noise_variance, float(shared))

    def draws(self, rng: np.random.Generator) -> Iterator[tuple[Population, Teacher]]:
        """Pairs that the table may come from.

        Energies of the coefficients and of what the teacher is off by are drawn first, then the coefficients of both together,
        direction by direction of the rows, from what the labels leave open where those energies are what was known before; so a
        teacher that is nearly right is so in each draw.
        """
        population, teacher = self.population, self.teacher
        centred, labels = (each - each.mean(axis=0) for each in (self.rows, self.labels))
        U, s, _ = np.linalg.svd(centred, full_matrices=False)
        features = centred.shape[1]
        atom = _atoms(population, features)
        # Directions that the rows do not reach tell nothing.
        size, seen = np.zeros(features), np.zeros((2, features))
        reached = s > 1e-10 * s[0]
        size[: s.size][reached], seen[:, : s.size][:, reached] = s[reached], (U.T @ labels).T[:, reached]
        count = np.bincount(atom, minlength=population.shares.size)
        error = np.maximum(teacher.signal - 2 * teacher.alignment + population.signal, 0.0)
        roots = np.sqrt(population.signal * error)
        along = np.divide(teacher.alignment - population.signal, roots, out=np.zeros_like(roots), where=roots > 0).clip(-1, 1)
        known = max(population.noise_variance * teacher.noise_variance, np.finfo(float).tiny)
        noises = self.real.noise_draws, self.taught.noise_draws
        proposed: list[tuple[Matrix, Matrix]] = []
        scores = []
        for real, taught, g, e in zip(*noises, self.real.signal_draws, self.apart.signal_draws, strict=True):
            shared = teacher.noise_covariance * np.sqrt(real * taught / known)
            c = along * np.sqrt(g * e)
            proposed.append(((g, g + c, g + 2 * c + e), (real, shared, taught)))
            within = [(each / np.maximum(count, 1))[atom] for each in (*proposed[-1][0], e)]
            apart = max(real - 2 * shared + taught, 0.0)
            score = _likelihood(*_variances(size, (within[0], within[1], within[2]), (real, shared, taught)), seen)
            alone = ((seen[0], size**2 * within[0] + real), (seen[1] - seen[0], size**2 * within[3] + apart))
            scores.append(score - sum(-0.5 * float(np.sum(z**2 / v + np.log(v))) for z, v in alone))
        # Both were drawn as if the other were not known: draws that fit both together count more.
        weights = np.exp(np.array(scores) - max(scores))
        for index in rng.choice(weights.size, weights.size, p=weights / weights.sum()):
            before, (real, shared, taught) = proposed[index]
            within = [(each / np.maximum(count, 1))[atom] for each in before]
            beta, phi = _coefficients(size, seen, (within[0], within[1], within[2]), (real, shared, taught), rng)
            drawn = [np.bincount(atom, each, count.size) for each in (beta**2, beta * phi, phi**2)]
            energy, alignment, signal = (np.where(count, now, then) for now, then in zip(drawn, before, strict=True))
            yield population.replace(signal=energy, noise_variance=float(real)), Teacher(signal, alignment, taught, shared)


def _atoms(population: Population, features: int) -> NDArray[np.intp]:
    """(p,) the atom of each direction of the rows, the largest eigenvalue first."""
    order = np.argsort(-population.eigenvalues, kind="stable")
    ends = np.round(np.cumsum(population.shares[order]) * features).astype(int)
    return np.asarray(order[np.searchsorted(ends, np.arange(features), side="right").clip(max=order.size - 1)])


def _variances(s: Floats, prior: Matrix, noise: Matrix) -> tuple[Floats, Floats, Floats, Floats]:
    """(p,) corners of s^2 prior + noise, and its determinant."""
    a, b, c = (np.asarray(s**2 * p + n) for p, n in zip(prior, noise, strict=True))
    return a, b, c, np.maximum(a * c - b**2, np.finfo(float).tiny)


def _likelihood(a: Floats, b: Floats, c: Floats, det: Floats, seen: Floats) -> float:
    """Log density of gaussian pairs (2, p) of these covariances, but for a constant."""
    squares = (c * seen[0] ** 2 - 2 * b * seen[0] * seen[1] + a * seen[1] ** 2) / det
    return -0.5 * float(np.sum(squares + np.log(det)))


def _coefficients(s: Floats, seen: Floats, prior: Matrix, noise: Matrix, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(p,) beta and phi by directions, drawn given ``seen`` = s (beta, phi) + noise.

    mean = s P M^-1 seen,   covariance = P - s^2 P M^-1 P,   M = s^2 P + noise
    """
    a, b, c, det = _variances(s, prior, noise)
    (p, q, r), inverse = prior, (c / det, -b / det, a / det)
    # P M^-1, by rows.
    k = p * inverse[0] + q * inverse[1], p * inverse[1] + q * inverse[2]
    m = q * inverse[0] + r * inverse[1], q * inverse[1] + r * inverse[2]
    left = p - s**2 * (k[0] * p + k[1] * q), q - s**2 * (k[0] * q + k[1] * r), r - s**2 * (m[0] * q + m[1] * r)
    first = np.sqrt(np.maximum(left[0], 0.0))
    across = np.divide(left[1], first, out=np.zeros_like(first), where=first > 0)
    second = np.sqrt(np.maximum(left[2] - across**2, 0.0))
    z = rng.standard_normal((2, s.size))
    beta = s * (k[0] * seen[0] + k[1] * seen[1]) + first * z[0]
    phi = s * (m[0] * seen[0] + m[1] * seen[1]) + across * z[0] + second * z[1]
    return np.asarray(beta), np.asarray(phi)


def estimate_teacher(X: Any, y: Any, predictions: Any, *, seed: int = 0) -> tuple[Population, Teacher]:
    """The population behind a table, and the teacher behind predictions of its labels.

    Parameters
    ----------
    X : (n, p) array
        Features as numbers.
    y : (n,) array
        Real labels; NaN where a row has none.
    predictions : (n,) array
        What the teacher says of each row; NaN where it says nothing. Rows with both labels count.
    seed : int
        Seed of the posterior draws behind estimates.

    Returns
    -------
    Population, Teacher

    Raises
    ------
    TypeError, ValueError
        If the data cannot be used, or fewer than 10 rows have both labels.

    Notes
    -----
    Energies of y, of the predictions and of their difference are estimated on the same bands; inner products follow from
    ``2 <phi, beta> = |beta|^2 + |phi|^2 - |phi - beta|^2``, held within what is possible. What in the predictions is no
    linear function of the features is the teacher's noise, whose covariance with that of y follows from the three variances in
    the same way. All are taken about their means: a constant by which the predictions are off is not in it.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((400, 20))
    >>> y, predictions = X @ np.ones(20) / 4 + rng.standard_normal(400), X @ np.ones(20) / 5
    >>> population, teacher = estimate_teacher(X, y, predictions)
    >>> teacher.noise_variance < 0.1 < population.noise_variance
    True
    """
    rows = np.asarray(X, dtype=np.float64)
    labels, said = (_numbers(name, each, len(rows)) for name, each in (("y", y), ("predictions", predictions)))
    both = np.isfinite(labels) & np.isfinite(said)
    if both.sum() < 10:
        raise ValueError(f"predictions must be there for at least 10 rows with a real label, got {int(both.sum())}")
    found = TeacherEstimate.of(rows[both], labels[both], said[both], seed)
    return found.population, found.teacher


def _numbers(name: str, values: Any, rows: int) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (rows,):
        raise ValueError(f"{name} must be {rows} numbers, one for each row, got shape {found.shape}")
    if np.isinf(found).any():
        raise ValueError(f"{name} must be finite numbers, or NaN, got inf")
    return found
