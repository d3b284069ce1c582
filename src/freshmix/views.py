"""What any result has beside its numbers: a text, a view in a notebook, a dict, a frame and pictures.

Those are made in rooms that stand above the results. Nothing else loads a room from above, and this does so when it is used.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar


def room(name: str) -> Any:
    """A room, or a file of it, that may stand above."""
    return import_module(f"freshmix.{name}")


def plain(value: Any) -> Any:
    """Numbers, text, lists and dicts in place of arrays, tuples and objects; what is unbounded is inf."""
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value, inf_nan_mode="constants", fallback=_plain)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else getattr(value, "__name__", repr(value))


class View:
    """A result that reads well; ``_words`` is the file in words/ that holds its ``answer``."""

    _words: ClassVar[str]

    def __repr__(self) -> str:
        return str(room("words.layout").brief(type(self).__name__, self.answer()))

    def __str__(self) -> str:
        return str(room("words.layout").text(self.answer()))

    def _repr_html_(self) -> str:
        return str(room("words.layout").html(self.answer()))

    def answer(self) -> Any:
        """What is said of it, as the blocks of words/layout.py."""
        return room(f"words.{self._words}").answer(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything, by the keys of ``--json`` (docs/keys.md): plain numbers, text, lists and dicts; inf where unbounded."""
        found: dict[str, Any] = plain(self)
        return found


class Pictured(View):
    """A result with pictures: those of plots/on_axes.py under the name of its class."""

    def plot(self, picture: str | None = None, *, ax: Any = None) -> Any:
        """Draw a picture of it.

        Parameters
        ----------
        picture : str, optional
            Of a recommendation ``weights`` (the default), ``generations``, ``ways`` or ``check``; of a plan ``labels``; of ways
            to remember ``memory``; of a weight that was found ``weights``; of theory ``generation`` (the default), ``weight``,
            ``surface`` or ``phase``.
        ax : matplotlib Axes, optional
            Where to draw; by default on a new figure of pyplot.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        TypeError, ValueError
            If there is no such picture, or ``ax`` is none.
        """
        return room("plots.on_axes").draw(type(self).__name__, self, picture, ax)


def frame(columns: Mapping[str, Any], index: Any = None) -> Any:
    """Columns as a data frame of pandas."""
    from pandas import DataFrame

    return DataFrame(dict(columns), index=index)
