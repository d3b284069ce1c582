"""What a loop does in the long run: a word from a closed set, with its reason (mathematics.md section 6)."""

import math
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["diverges", "collapses", "degrades", "holds", "improves"]

_EQUAL = 1e-9


@dataclass(frozen=True)
class Limit:
    """The long-run excess risk of a loop and what it means.

    Attributes
    ----------
    risk : float
        Excess risk E||bhat - beta||^2_Sigma as generations go on; inf if it grows without bound.
    verdict : str
        ``diverges`` (unbounded), ``collapses`` (above both real labels only and predicting 0), ``degrades`` (above real
        labels only), ``holds`` (equal to it within 1e-9) or ``improves`` (below it).
    reason : str
        Why, in words, with the figures that decide.
    first : float
        Excess risk of generation 0.
    real_only : float
        Excess risk of the same learner on the rows with a real label, without synthetic labels.
    null : float
        Excess risk of predicting 0, beta'Sigma beta.
    collapse_number : float or None
        Psi of mathematics.md section 5 for fresh covariates (the loop diverges iff it is 1 or more); None for frozen ones.
    """

    risk: float
    verdict: Verdict
    reason: str
    first: float
    real_only: float
    null: float
    collapse_number: float | None = None


def judge(
    risk: float, real_only: float, null: float, why_unbounded: str = "", when: str = "in the long run"
) -> tuple[Verdict, str]:
    """The first verdict of mathematics.md section 6 that applies, with its reason.

    ``why_unbounded`` is the reason to give when the risk is infinite, ``when`` the words for the horizon.
    ``real_only`` may be infinite too.
    """
    if math.isinf(risk):
        return "diverges", why_unbounded or "the excess risk grows without bound"
    figures = f"excess risk {risk:.4g} {when} against {real_only:.4g} with real labels only"
    above_null = f"; above the null risk {null:.4g} of predicting 0" if risk > null * (1 + _EQUAL) else ""
    if math.isfinite(real_only) and abs(risk - real_only) <= _EQUAL * max(abs(risk), abs(real_only)):
        return "holds", f"synthetic labels change nothing: {figures}{above_null}"
    if risk < real_only:
        return "improves", f"synthetic labels average the noise of past real labels: {figures}{above_null}"
    if above_null:
        return "collapses", f"worse than using no model at all: {figures}{above_null}"
    return "degrades", f"synthetic labels cost more than they bring: {figures}"
