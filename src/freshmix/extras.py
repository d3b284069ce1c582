"""Packages that need not be installed, and what to install where one is missing."""

from importlib import import_module
from types import ModuleType


def extra(name: str, module: str, what: str, otherwise: str = "") -> ModuleType:
    """The module, which the optional extra ``name`` of freshmix brings; ``what`` cannot be done without it.

    Raises ValueError that names the extra if the module's package is not there, and ImportError if it is there but broken.

    >>> extra("excel", "json", "t.xlsx").__name__
    'json'
    >>> extra("excel", "no_such_reader", "t.xlsx", ", or save it as CSV")
    Traceback (most recent call last):
    ValueError: t.xlsx needs the package no_such_reader: pip install 'freshmix[excel]', or save it as CSV
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as problem:
        if problem.name is None or problem.name.partition(".")[0] != package:
            raise
        raise ValueError(f"{what} needs the package {package}: pip install 'freshmix[{name}]'{otherwise}") from None
