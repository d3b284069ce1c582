"""What theory expects of the generations of a model whose settings were given: from its first rows, when somebody asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..arguments import Floats
from ..estimation import banded, described, factorise_products
from ..loop import Loop
from ..population import Population
from ..prepared import Products
from ..risks import risk

# Of the smaller of rows and features: products of more are too much to keep for a figure beside the fits.
_MOST = 2000
# Rows of a generation that is there for the sake of the count alone, over those of the next one.
_NO_ROWS = 1e-6


@dataclass
class Expected:
    """The first generation's products, from which a population is estimated, and the loop of each generation.

    ``labelled`` are the rows of each that have a real label. ``loops`` have the variance of the synthetic noise in place of
    its ratio to a noise that is not known yet; they are None once theory has no word for what was done.
    """

    products: Products
    loops: list[Loop] | None = field(default_factory=list)
    labelled: list[float] = field(default_factory=list)
    population: Population | None = None

    @classmethod
    def of(cls, X: Floats, y: Floats, weights: Floats, centred: bool) -> "Expected | None":
        """From (n, p) rows with (n, 1) labels; None for several outputs, uneven weights and large tables."""
        n, p = X.shape
        if y.shape[1] > 1 or np.any(weights != 1) or min(n, p) > _MOST or n < 3:
            return None
        rows, labels = (X - X.mean(axis=0), y[:, 0] - y[:, 0].mean()) if centred else (X, y[:, 0])
        if p <= n:
            return cls(Products(rows.T @ rows / n, rows.T @ labels, float(labels @ labels), n, p))
        return cls(Products(rows @ rows.T / n, labels, float(labels @ labels), n, p, by_columns=True))

    def add(
        self,
        rows: float,
        labelled: float,
        alpha: float,
        weights: tuple[float, float],
        variance: float,
        anchor: float,
        kept: int | None,
        forgetting: float,
    ) -> None:
        """One more generation: rows of its fit and those with a real label, real weight and row weight, synthetic noise."""
        if self.loops is None:
            return
        first = not self.loops
        # The penalty is per row of the whole fit, whatever a kept row counts.
        older = self.labelled if kept is None else self.labelled[max(len(self.labelled) - kept, 0) :]
        size = rows + sum(older)
        self.labelled.append(labelled)
        try:
            loop = Loop.partially_labelled(
                aspect=self.products.features / rows,
                labelled=labelled / rows,
                real_weight=1.0 if first else weights[0],
                penalty=alpha / size,
                row_weight=(1.0, weights[1]),
                synthetic_noise_ratio=variance,
            )
            self.loops.append(
                loop.replace(
                    anchor=0.0 if first else anchor,
                    kept_generations=kept,
                    forgetting=forgetting,
                    first_rows=_NO_ROWS if first and kept != 0 else 1.0,
                )
            )
        except ValueError:
            # A real weight beyond [0, 1], say.
            self.loops = None

    def errors(self) -> Floats | None:
        """(T + 1,) prediction errors of generations 0 ... T (mathematics.md section 5); None where theory has none.

        The first generation is one of real labels alone, with no other before it that would matter.
        """
        if self.loops is None:
            return None
        try:
            if self.population is None:
                found = described(banded(factorise_products(self.products), np.random.default_rng(0)))
                self.population = Population(found.eigenvalues, found.shares, found.signal, found.noise_variance)
            noise = self.population.noise_variance
            loops = [_with_noise(loop, noise) for loop in self.loops]
            return np.asarray(risk(self.population, loops, len(loops), judged="next")[1:] + noise)
        except (ValueError, ArithmeticError):
            return None


def _with_noise(loop: Loop, noise: float) -> Loop:
    variance = loop.synthetic_noise_ratio
    return loop.replace(synthetic_noise_ratio=variance / noise if variance > 0 else 0.0)


def filled(history: Sequence[dict[str, float | int | None]], expected: Expected | None) -> None:
    """Put into a history what is expected of each error that was seen."""
    lacking = [entry for entry in history if entry["error_before"] is not None and entry["predicted_error"] is None]
    errors = expected.errors() if expected is not None and lacking else None
    for entry in lacking:
        before = int(entry["generation"] or 0) - 1
        if errors is not None and before < errors.size:
            entry["predicted_error"] = float(errors[before])
