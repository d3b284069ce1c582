"""What a loop does in the long run: a word from a closed set, with its reason (mathematics.md section 6)."""

import math
from dataclasses import dataclass
from typing import Literal

from ..views import View
from ..words import verdict as words

Verdict = Literal["diverges", "collapses", "degrades", "holds", "improves"]

_EQUAL = 1e-9


@dataclass(frozen=True, repr=False)
class Limit(View):
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

    _words = "verdict"

    risk: float
    verdict: Verdict
    reason: str
    first: float
    real_only: float
    null: float
    collapse_number: float | None = None


def judge(
    risk: float,
    real_only: float,
    null: float,
    why_unbounded: str = "",
    when: str = "in the long run",
    by: str = "synthetic labels",
) -> tuple[Verdict, str]:
    """The first verdict of mathematics.md section 6 that applies, with its reason.

    ``why_unbounded`` is the reason to give when the risk is infinite, ``when`` the words for the horizon, ``by`` those for what
    the loop does beside fitting real labels.
    ``real_only`` may be infinite too.
    """
    if math.isinf(risk):
        return "diverges", why_unbounded or words.GROWS
    above_null = risk > null * (1 + _EQUAL)
    verdict: Verdict = "collapses" if above_null else "degrades"
    if math.isfinite(real_only) and abs(risk - real_only) <= _EQUAL * max(abs(risk), abs(real_only)):
        verdict = "holds"
    elif risk < real_only:
        verdict = "improves"
    return verdict, words.reason(verdict, risk, real_only, null, above_null, when, by)
