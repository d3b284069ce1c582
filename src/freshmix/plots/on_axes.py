"""The pictures of results, each by its name, on axes of the user's or on new ones."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from ..arguments import choice
from . import of_theory
from .check import draw_check
from .memory import draw_memory
from .plan import draw_plan
from .recommendation import draw_generations, draw_weights
from .replay import draw_found_weight
from .ways import draw_ways

# The first one is what ``.plot()`` draws.
PICTURES: Mapping[str, Mapping[str, Callable[[Axes, Any], None]]] = {
    "Recommendation": {"weights": draw_weights, "generations": draw_generations, "ways": draw_ways, "check": draw_check},
    "Plan": {"labels": draw_plan},
    "FoundWeight": {"weights": draw_found_weight},
    "Memory": {"memory": draw_memory},
    "Theory": {name: partial(lambda name, axes, found: of_theory.paint(name, found, axes), name) for name in of_theory.NAMES},
}
_SIZE = (6.2, 4.8)


def draw(kind: str, found: Any, picture: str | None, axes: Axes | None) -> Axes:
    """The picture of a result on the axes, or on those of a new figure of pyplot, where ``show`` finds it."""
    known = PICTURES[kind]
    paint = known[choice("picture", picture, known) if picture is not None else next(iter(known))]
    if axes is None:
        from matplotlib import pyplot

        axes = pyplot.subplots(figsize=_SIZE, layout="constrained")[1]
    elif not isinstance(axes, Axes):
        raise TypeError(f"ax must be axes of matplotlib, got {type(axes).__name__}")
    paint(axes, found)
    return axes
