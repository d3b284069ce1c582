"""Generators of many replicates at once: those of numpy's ``default_rng``, whose seeding costs more than a tiny loop.

The words of ``SeedSequence`` are hashed for all coordinates together, and one PCG64 is put into one state after another.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..sampling import Generator

_Words = NDArray[np.uint32]
_MASK = 0xFFFFFFFF
# Constants of numpy's SeedSequence and of PCG64 (O'Neill), which are part of numpy's promise of the same streams.
_INIT_A, _MULT_A, _INIT_B, _MULT_B = 0x43B0D7E5, 0x931E8875, 0x8B51F9DD, 0x58F38DED
_MIX_L, _MIX_R = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_STEP, _ALL = 0x2360ED051FC65DA44385DF649FCCF645, (1 << 128) - 1


class Streams:
    """``streams(t, purpose)`` are ``default_rng([seed, replicate, t, purpose])`` for one replicate after another.

    It is one generator, put into each state in turn: draw from it before taking the next.
    """

    def __init__(self, seed: int, replicates: Sequence[int], generations: int, purposes: int) -> None:
        grids = np.meshgrid(np.arange(generations + 1), np.arange(purposes), np.array(replicates), indexing="ij")
        t, purpose, replicate = (np.asarray(grid, dtype=np.uint32) for grid in grids)
        seeds = [np.full(t.shape, word, dtype=np.uint32) for word in _words_of(seed)]
        self._states = _states([*seeds, replicate, t, purpose])
        self._bits = np.random.PCG64(0)
        self._generator = Generator(self._bits)

    def __call__(self, t: int, purpose: int) -> Iterator[Generator]:
        """The generator at the start of each replicate's stream."""
        for high, low, inc_high, inc_low in self._states[t, purpose].tolist():
            inc = ((((inc_high << 64) | inc_low) << 1) | 1) & _ALL
            state = ((((high << 64) | low) + inc) * _STEP + inc) & _ALL
            self._bits.state = {
                "bit_generator": "PCG64",
                "state": {"state": state, "inc": inc},
                "has_uint32": 0,
                "uinteger": 0,
            }
            yield self._generator


def _words_of(seed: int) -> list[int]:
    """32 bits at a time, the lowest first."""
    words = [seed & _MASK]
    while seed := seed >> 32:
        words.append(seed & _MASK)
    return words


def _states(entropy: Sequence[_Words]) -> NDArray[np.uint64]:
    """(..., 4) numbers that ``SeedSequence(entropy).generate_state(4, uint64)`` gives, for at least four words."""
    constant = _INIT_A

    def hashed(value: _Words) -> _Words:
        nonlocal constant
        value = value ^ np.uint32(constant)
        constant = constant * _MULT_A & _MASK
        value = value * np.uint32(constant)
        return np.asarray(value ^ (value >> np.uint32(16)))

    def mixed(x: _Words, y: _Words) -> _Words:
        value = x * _MIX_L - y * _MIX_R
        return np.asarray(value ^ (value >> np.uint32(16)))

    pool = [hashed(word) for word in entropy[:4]]
    for source in range(4):
        for target in range(4):
            if source != target:
                pool[target] = mixed(pool[target], hashed(pool[source]))
    for word in entropy[4:]:
        pool = [mixed(each, hashed(word)) for each in pool]
    constant, halves = _INIT_B, []
    for i in range(8):
        value = pool[i % 4] ^ np.uint32(constant)
        constant = constant * _MULT_B & _MASK
        value = value * np.uint32(constant)
        halves.append((value ^ (value >> np.uint32(16))).astype(np.uint64))
    return np.stack([halves[i] | (halves[i + 1] << np.uint64(32)) for i in range(0, 8, 2)], axis=-1)
