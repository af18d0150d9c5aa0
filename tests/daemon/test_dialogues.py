"""The protocol server's conformance cases, as dialogues; the numbers in their names are the cases'."""

from pathlib import Path

import pytest

from dialogue import Dialogue, play, read
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Granted, Identity
from ninsho.sasl.mechanism import mechanism

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


@pytest.mark.parametrize("chunk", [0, 1, 7])
@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.name)
def test_the_server_keeps_to(dialogue: Dialogue, chunk: int):
    play(dialogue, chunk, own=[oreore, broken, last_words])
