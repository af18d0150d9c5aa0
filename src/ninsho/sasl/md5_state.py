"""MD5 (RFC 1321) from a state in the middle of a message, which hashlib can neither set nor export."""

import math
import struct
from collections.abc import Callable
from typing import TypeAlias

State: TypeAlias = tuple[int, int, int, int]
Mixer: TypeAlias = Callable[[int, int, int], int]

BLOCK = 64  # octets
INITIAL: State = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)

_MASK = 0xFFFF_FFFF
_STATE = struct.Struct("<4I")
_WORDS = struct.Struct("<16I")

# RFC 1321 §3.4: each round has its function, its order of the block's words and its four shifts.
_ROUNDS: tuple[tuple[Mixer, Callable[[int], int], tuple[int, int, int, int]], ...] = (
    (lambda x, y, z: z ^ (x & (y ^ z)), lambda step: step, (7, 12, 17, 22)),
    (lambda x, y, z: y ^ (z & (x ^ y)), lambda step: 5 * step + 1, (5, 9, 14, 20)),
    (lambda x, y, z: x ^ y ^ z, lambda step: 3 * step + 5, (4, 11, 16, 23)),
    (lambda x, y, z: y ^ (x | z ^ _MASK), lambda step: 7 * step, (6, 10, 15, 21)),
)

_STEPS = tuple(
    (mixer, order(step) % 16, int(abs(math.sin(16 * number + step + 1)) * 2**32), shifts[step % 4])
    for number, (mixer, order, shifts) in enumerate(_ROUNDS)
    for step in range(16)
)


def compress(state: State, block: bytes) -> State:
    """Take in one block of 64 octets (about 30 µs)."""
    words = _WORDS.unpack(block)
    a, b, c, d = state
    for mixer, word, constant, shift in _STEPS:
        mixed = (a + mixer(b, c, d) + words[word] + constant) & _MASK
        a, b, c, d = d, (b + (mixed << shift | mixed >> 32 - shift)) & _MASK, b, c
    return (
        (state[0] + a) & _MASK,
        (state[1] + b) & _MASK,
        (state[2] + c) & _MASK,
        (state[3] + d) & _MASK,
    )


def finish(state: State, rest: bytes, *, taken: int) -> bytes:
    """The digest of a message whose first *taken* octets, whole blocks, led to *state*; *rest* is what follows them."""
    # RFC 1321 §3.1 and §3.2: a bit, zeros, and the length in bits as 64 bits.
    padding = b"\x80" + bytes((BLOCK - 9 - len(rest)) % BLOCK)
    tail = rest + padding + struct.pack("<Q", (8 * (taken + len(rest))) % 2**64)
    for start in range(0, len(tail), BLOCK):
        state = compress(state, tail[start : start + BLOCK])
    return to_bytes(state)


def to_bytes(state: State) -> bytes:
    """Write *state* as its four little-endian words."""
    return _STATE.pack(*state)


def from_bytes(octets: bytes) -> State:
    """Read what ``to_bytes`` wrote, 16 octets."""
    a, b, c, d = _STATE.unpack(octets)
    return a, b, c, d
