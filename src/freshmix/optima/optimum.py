"""What a search over loops finds, and which ways to remember beat it."""

from dataclasses import dataclass, replace

from ..arguments import HORIZON, choice, whole
from ..loop import Loop
from ..risks.setting import Setting
from ..views import View
from .memory import RULES, Way, memory_of


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

    def searched(self, setting: Setting) -> "Optimum":
        """With the setting that it was searched in, which is not compared and not shown."""
        made = replace(self)
        object.__setattr__(made, "_setting", setting)
        return made

    def beaten_by(self, generations: int = HORIZON, may_keep: str = "rows") -> dict[str, Way]:
        """Ways to remember with a lower risk at a horizon than this loop has there, the best first; see ``optimal_memory``.

        In the long run more memory is always better, so that loops are compared at generation T, on the next generation's
        coefficients.

        Parameters
        ----------
        generations : int
            T, at least 1.
        may_keep : "nothing", "model", "moments" or "rows"
            What may be kept from one generation to the next.

        Returns
        -------
        dict
            Name of a way -> the way: loop, risk, prediction error, what has to be stored.

        Raises
        ------
        TypeError, ValueError
            If a parameter is out of range, or no row has a real label.

        Examples
        --------
        >>> from freshmix import Loop, Population, optimal_loop
        >>> best = optimal_loop(Population.isotropic(signal=2.0), Loop(aspect=2.0))
        >>> next(iter(best.beaten_by(may_keep="model")))
        'anchored_mixed'
        """
        horizon, most = whole("generations", generations, low=1), choice("may_keep", may_keep, RULES)
        setting: Setting | None = getattr(self, "_setting", None)
        if setting is None:
            raise ValueError("beaten_by needs an optimum of optimal_weight or optimal_loop, got one that was made by hand")
        if self.loop.labelled == 0:
            raise ValueError("beaten_by needs rows with a real label, got a labelled share of 0")
        at = setting.with_loops(self.loop)
        own = float(at.by_generation(horizon, "next")[-1])
        ways = memory_of(at, horizon, most, "next").ways
        better = {
            name: way
            for name, way in sorted(ways.items(), key=lambda each: each[1].risk)
            if RULES.index(way.stored) <= RULES.index(most) and way.risk < own * (1 - 1e-6)
        }
        return better
