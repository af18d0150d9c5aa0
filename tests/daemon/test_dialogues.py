"""The protocol server's conformance cases, as dialogues; the numbers in their names are the cases'."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dialogue import Dialogue, play, read
from ninsho.sasl.cram_md5 import CRAM_MD5, cram_md5
from ninsho.sasl.dialogue import Await, Challenge, Denial, Denied, Granted, Identity
from ninsho.sasl.mechanism import mechanism
from ninsho.sasl.scram import SCRAM_SHA_1

FOLDER = Path(__file__).parent / "dialogues"
DIALOGUES = [dialogue for path in sorted(FOLDER.glob("*.txt")) for dialogue in read(path)]


@mechanism("OREORE", plaintext=True)
def oreore(response):
    if response is None:
        response = yield from Challenge(b"")
    return Granted(Identity(response.decode()))


@mechanism("BROKEN")
def broken(response):
    raise RuntimeError("a fault of the site's own")
    yield


@mechanism("LASTWORDS")
def last_words(response):
    if response == b"nobody":
        return Denied(Denial.MISMATCH, b"no")
    return Granted(Identity(response.decode()), b"bye " + response)
    yield


async def failing():
    raise OSError


@mechanism("CATCHES")
def catches(response):
    try:
        yield from Await(failing())
    except OSError:
        return Granted(Identity("caught"))


# The challenge of RFC 2195 §2.
CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"
cram = replace(CRAM_MD5, server=partial(cram_md5, challenge=lambda: CHALLENGE))


def with_nonce(mechanism):
    """A mechanism of SCRAM whose server's nonce is that of RFC 5802 §5."""
    server = partial(mechanism.server, nonce=lambda: b"3rfcNHYJY1ZVvWVs7j")
    return replace(mechanism, server=server, bound=tuple(map(with_nonce, mechanism.bound)))


@pytest.mark.parametrize("chunk", [0, 1, 7])
@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.name)
def test_the_server_keeps_to(dialogue: Dialogue, chunk: int):
    play(dialogue, chunk, own=[oreore, broken, last_words, catches, cram, with_nonce(SCRAM_SHA_1)])
