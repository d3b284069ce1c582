"""What a search over loops finds."""

from dataclasses import dataclass

from ..loop import Loop
from ..views import View


@dataclass(frozen=True, repr=False)
class Optimum(View):
    """The best loop and its risk.

    Attributes
    ----------
    loop : Loop
        The loop asked about, with the best values filled in.
    real_weight : float
        The best constant w.
    risk : float
        Excess risk there, in the long run or at the horizon asked for.
    attained : bool
        False where the risk only tends to this value: as w -> 0 (then ``real_weight`` is 0) or as the penalty grows
        without bound (then the loop holds the largest one searched).
    """

    _words = "optimum"

    loop: Loop
    real_weight: float
    risk: float
    attained: bool = True
