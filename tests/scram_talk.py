"""Both sides of SCRAM at one table: what a test says for one of them, and what the other answers."""

import json
from pathlib import Path

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.dialogue import Bound, BoundChallenge, Challenge, Decoy, Lookup
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.scram import Binding, scram, scram_client
from ninsho.sasl.secrets import ScramSha1Keys, ScramSha256Keys, ScramSha512Keys, ScramSha3512Keys
from ninsho.text import password_candidates

KINDS = {kind.name: kind for kind in (ScramSha1Keys, ScramSha256Keys, ScramSha512Keys, ScramSha3512Keys)}
QUICK = (1, 99)  # iterations: these tests look at messages, not at how long guessing takes
VECTORS = json.loads((Path(__file__).parent / "vectors" / "scram.json").read_text())
SHA256 = ScramSha256Keys
TIM = Credentials("tim", "sesame", iterations=QUICK)
NONCE = b"fyko+d2lbbFgONRv9qkxdawL"
KEY = {"tls-exporter": b"the channel's own"}


def keys_of(kind, password, salt=b"salt of 16 octet", iterations=1):
    """What enrolment stores."""
    return kind.of(password_candidates(password)[0].encode(), salt=salt, iterations=iterations)


class Server:
    """A server's side whose accounts are *accounts*: names with their keys.

    *bindings* are the channel's data by their types; ``wants`` is what the dialogue has asked so far.
    """

    def __init__(self, accounts, kind, *, binding=Binding.IMPOSSIBLE, nonce=None, bindings=None):
        self.accounts = accounts
        self.bindings = bindings or {}
        self.wants = []
        self.verdict = None
        self._options = {"kind": kind, "binding": binding} | ({"nonce": lambda: nonce} if nonce else {})
        self._dialogue = None

    def hear(self, message):
        """Answer *message*: with a challenge, or with the last words (None if there are none) and a verdict."""
        if self._dialogue is None:
            self._dialogue, answer = scram(message, **self._options), None
        else:
            want = self.wants[-1]
            bound = isinstance(want, BoundChallenge)
            answer = Bound(message, self.bindings.get(want.binding)) if bound else message
        try:
            return self._advance(answer)
        except StopIteration as end:
            self.verdict = end.value
            return end.value.data

    def _advance(self, answer):
        while True:
            want = self._dialogue.send(answer)
            self.wants.append(want)
            match want:
                case Challenge():
                    return want.data
                case Lookup(username):
                    answer = self.accounts.get(username)
                case Decoy(username, kind):
                    answer = keys_of(kind, f"nobody knows the password of {username}")


def client_of(credentials, kind, *, plus=False, nonce=None):
    """A client's side."""
    options = {"nonce": lambda: nonce} if nonce else {}
    return Exchange(scram_client(credentials, kind=kind, plus=plus, **options))


def finish(client, *messages):
    """Let *client* hear these messages, and then that it has logged in."""
    for message in messages:
        client.answer(message)
    client.conclude()


def talk(server, client, alter=lambda _, message: message):
    """Let the two talk to the end; *alter* may change each message on its way.

    Returns whether each side, the server first, is satisfied; what a side refuses ends the talk.
    """
    number, message = 0, client.begin()
    try:
        while server.verdict is None:
            message = server.hear(alter(number, message))
            if message is not None:
                message = client.answer(alter(number + 1, message))
            number += 2
    except MalformedMessage:
        return False, False
    except ExchangeError:
        return _granted(server), False
    return _granted(server), _granted(server) and _concluded(client)


def _granted(server):
    return type(server.verdict).__name__ == "Granted"


def _concluded(client):
    try:
        client.conclude()
    except ExchangeError:
        return False
    return True
