"""``fm.estimate``: a population from a table, with its uncertainty (mathematics.md section 7)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import Floats, whole
from ..population import Population
from ..prepared import Prepared, prepare
from ..prepared.kernels import gram_of
from ..threads import on_one_blas_thread
from ..views import View, frame
from .banded import Estimate, banded
from .factorise import Factorisation, factorise, factorise_gram, factorise_products
from .noise import NoiseEstimate
from .sizes import sized

_DRAWS = 200


@dataclass(frozen=True, init=False, eq=False, repr=False)
class EstimatedPopulation(View, Population):
    """A ``Population`` estimated from a table, with what is known of its uncertainty.

    Attributes
    ----------
    eigenvalues, shares, signal, noise_variance, row_sizes
        As of ``Population``: posterior means; outlying eigenvalues are spikes of share 1/p. Row sizes come from the leverages,
        and are None where these differ by no more than chance.
    intervals : dict
        ``noise_variance``, ``signal_to_noise_ratio``, ``null_risk`` -> (low, high), 90% intervals; one-sided where the data
        do not exclude 0, and widened where the noise estimates disagree.
    noise_estimates : dict
        Name -> ``NoiseEstimate``: sigma^2 by other routes, its standard error, and its disagreement with the model.
    noise_draws, signal_draws : (d,), (d, k) arrays
        Posterior draws of sigma^2 and of the energies g.
    """

    _words = "population"

    intervals: Mapping[str, tuple[float, float]]
    noise_estimates: Mapping[str, NoiseEstimate]
    noise_draws: Floats
    signal_draws: Floats

    def __init__(
        self,
        eigenvalues: ArrayLike,
        shares: ArrayLike,
        signal: ArrayLike,
        noise_variance: float,
        intervals: Mapping[str, tuple[float, float]],
        noise_estimates: Mapping[str, NoiseEstimate],
        noise_draws: Floats,
        signal_draws: Floats,
        row_sizes: tuple[ArrayLike, ArrayLike] | None = None,
        persistence: float = 1.0,
    ) -> None:
        super().__init__(eigenvalues, shares, signal, noise_variance, row_sizes, persistence)
        object.__setattr__(self, "intervals", dict(intervals))
        object.__setattr__(self, "noise_estimates", dict(noise_estimates))
        for name, draws in (("noise_draws", noise_draws), ("signal_draws", signal_draws)):
            kept = np.array(draws, dtype=np.float64)
            kept.setflags(write=False)
            object.__setattr__(self, name, kept)

    def __reduce__(self) -> tuple[Any, ...]:
        return EstimatedPopulation, (
            *(self.eigenvalues, self.shares, self.signal, self.noise_variance, self.intervals),
            *(self.noise_estimates, self.noise_draws, self.signal_draws, self.row_sizes, self.persistence),
        )

    def to_frame(self) -> Any:
        """The atoms as a pandas data frame: ``eigenvalues``, ``shares`` and ``signal``."""
        return frame({"eigenvalues": self.eigenvalues, "shares": self.shares, "signal": self.signal})

    def draws(self) -> Iterator[Population]:
        """One ``Population`` for each posterior draw: any figure computed over them has its posterior."""
        for sigma2, g in zip(self.noise_draws, self.signal_draws, strict=True):
            yield Population(self.eigenvalues, self.shares, g, float(sigma2), self.row_sizes, self.persistence)


def estimate(
    X: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    drop: str | Sequence[str] = (),
    drop_missing: bool = False,
    impute: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    seed: int = 0,
) -> EstimatedPopulation:
    """The population behind a table: spectrum, signal and noise, with their uncertainty.

    Parameters
    ----------
    X, y
        The table, as ``freshmix.recommend`` takes it; rows without a real label are not used. Features are centred, not scaled.
    sample_weight : str, or (n,) array or series, optional
        Precision of each label, up to a common factor.
    drop, drop_missing, impute, separator, decimal
        How the table is read, as for ``freshmix.recommend``.
    seed : int
        Seed of the posterior draws.

    Returns
    -------
    EstimatedPopulation
        Usable wherever a ``Population`` is.

    Raises
    ------
    TypeError, ValueError
        If the data cannot be used; the message names the parameter.

    Notes
    -----
    Source: mathematics.md section 7: spectrum from the companion curve, noise and signal from the banded model. A signal in
    directions that the rows hardly vary in looks like noise when there are more features than rows; the intervals say how far.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(3)
    >>> X = rng.standard_normal((400, 200))
    >>> y = X @ rng.standard_normal(200) / 10 + rng.standard_normal(400)
    >>> found = estimate(X, y)
    >>> low, high = found.intervals["noise_variance"]
    >>> low < 1 < high, sorted(found.noise_estimates)
    (True, ['leave_one_out', 'moments', 'residual'])
    >>> import freshmix as fm
    >>> fm.limit(found, fm.Loop(aspect=0.5, penalty=0.1, real_weight=0.6)).verdict
    'improves'
    """
    seed = whole("seed", seed, low=0)
    reading: dict[str, Any] = {"drop": drop, "drop_missing": drop_missing, "impute": impute, "separator": separator}
    table = prepare(X, y, sample_weight=sample_weight, standardize=False, decimal=decimal, **reading)
    return described(estimate_of(table, None, np.random.default_rng(seed), sizes=True))


def described(found: Estimate) -> EstimatedPopulation:
    """The public face of an ``Estimate``."""
    tau, share, g = found.atoms(found.signal, found.outlying_signal)
    chosen = np.linspace(0, found.noise_draws.size - 1, _DRAWS).astype(int)
    pairs = zip(found.signal_draws[chosen], found.outlying_draws[chosen], strict=True)
    drawn = np.array([found.atoms(signal, outlying)[2] for signal, outlying in pairs])
    own = found.intervals(), found.noise_estimates, found.noise_draws[chosen]
    return EstimatedPopulation(tau, share, g, found.noise_variance, *own, drawn, found.row_sizes)


@on_one_blas_thread
def estimate_of(table: Prepared, penalty: float | None, rng: np.random.Generator, sizes: bool = False) -> Estimate:
    """The banded estimate from the labelled rows of a table, for a fit at a penalty to all of them (None: not known).

    ``sizes`` asks for those of the rows: new ones will be of several sizes, where the same ones are taken as they are.
    """
    f = _factorised(table, penalty)
    return banded(sized(f) if sizes else f, rng)


def _factorised(table: Prepared, penalty: float | None) -> Factorisation:
    if table.products is not None:
        at_threshold(penalty, table.products.rows, table.features)
        some = None if table.rows is None else table.rows.labelled()[:2]
        return factorise_products(table.products, some)
    assert table.rows is not None
    X, y, precision = table.rows.labelled()
    if table.kernel == "linear":
        at_threshold(penalty, *X.shape)
        return factorise(X, y, precision)
    return factorise_gram(gram_of(X, table.kernel), y, precision)


def at_threshold(penalty: float | None, n: int, p: int) -> None:
    """Refuse to interpolate exactly at the threshold."""
    if penalty == 0 and p in (n - 1, n):
        raise ValueError(
            f"penalty must be positive here, got 0: with an intercept, {n} rows and {p} features are at the interpolation "
            "threshold, where the variance without a penalty is unbounded"
        )
