"""Help that names what the registries hold."""

from importlib import import_module
from typing import Any

from typer.core import TyperCommand

_REGISTRIES = {
    "populations": ("population_file", "MODELS"),
    "engines": ("simulation", "ENGINES"),
    "workflows": ("simulation", "WORKFLOWS"),
    "figures": ("reproduce", "NAMES"),
}


class _Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        module, registry = _REGISTRIES[name]
        return ", ".join(getattr(import_module(f"freshmix.{module}"), registry))


class NamesInHelp(TyperCommand):
    """A command whose options may say ``{engines}`` and the like; they are looked up when its help is asked for."""

    def get_help(self, ctx: Any) -> str:
        """The help page."""
        for option in map(vars, self.params):
            if option.get("help"):
                option["help"] = option["help"].format_map(_Names())
        return super().get_help(ctx)
