"""500 of the random cases of ``make soak``."""

import pytest

from . import fuzz
from .test_sweep_store import make_stores

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    return make_stores(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("first", range(0, 500, 50))
def test_random_cases(stores, first):
    failed = []
    for seed in range(first, first + 50):
        kind = fuzz.KINDS[seed % len(fuzz.KINDS)]
        try:
            fuzz.run(kind, seed, stores)
        except Exception as error:
            failed.append(f"python -m tests.fuzz --case {kind} {seed}: {type(error).__name__}: {error}")
    assert failed == []
