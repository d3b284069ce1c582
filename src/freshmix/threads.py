"""One BLAS thread: two on small matrices are slower than one, and many times slower on a busy machine."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")

# The environment of a worker process, for libraries that read it when they start.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> Any:
    """A context with one BLAS thread in this process: the same bits wherever it runs."""
    return _libraries().limit(limits=1, user_api="blas")


def on_one_blas_thread(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose matrices are small, so that threads would only wait for each other."""

    @wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with one_blas_thread():
            return function(*args, **kwargs)

    return alone
