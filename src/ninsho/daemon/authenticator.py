"""Dialogues meet stores: every verdict is made here."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias

from ninsho.daemon.judgement import Judgement
from ninsho.errors import BrokenMechanism, MalformedMessage, MalformedSecret, StoreUnavailable, TicketRefused
from ninsho.sasl.dialogue import (
    Await,
    Bound,
    Challenge,
    Compute,
    Decoy,
    Denial,
    Denied,
    Derive,
    Dialogue,
    Granted,
    Inspect,
    Lookup,
    PeerName,
    Remark,
    Verdict,
    Verify,
    Want,
    check_text,
)
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores.accounts import Asking

Course: TypeAlias = Generator[Challenge | Awaitable[Any], Any, Verdict]
"""Yields a challenge for the client (the answer: its response) or something to await (the answer: its result)."""

# Accidents that end a login, and nothing else.
ACCIDENTS: dict[type[Exception], Denial] = {
    MalformedMessage: Denial.MALFORMED,
    TicketRefused: Denial.TOKEN,
    StoreUnavailable: Denial.UNAVAILABLE,
    MalformedSecret: Denial.ERROR,
    BrokenMechanism: Denial.ERROR,
}


# The causes that a wrong password, or the name of somebody who is not there, can have.
GUESSES = (Denial.MISMATCH, Denial.UNKNOWN, Denial.NO_SECRET)


FINAL_RESPONSE_OK = "final-resp-ok"  # the parameter of AUTH

# An answer that is not there yet; None is one.
LATER = object()


class Raised:
    """An answer that is an error, for the mechanism to catch."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _next(dialogue: Dialogue, answer: object) -> Want:
    try:
        return dialogue.throw(answer.error) if isinstance(answer, Raised) else dialogue.send(answer)
    except UnicodeError:
        # A mechanism of the site's own met octets that it cannot read.
        raise MalformedMessage("expected UTF-8") from None


class Attempt(Judgement):
    """One login: a mechanism's dialogue, answered from the user base, to its verdict."""

    __slots__ = ()

    def run(self, mechanism: Mechanism, response: bytes | None) -> Course:
        """Play the server's side of *mechanism*, begun with the initial *response*.

        What a mechanism or a store raises passes through: see ``accident``.
        """
        dialogue, answer = mechanism.server(response), None
        verdict: Verdict
        try:
            if response is not None and not mechanism.binary:
                check_text(response)
            while True:
                want = _next(dialogue, answer)
                if isinstance(want, Challenge):
                    answer = yield want
                    if not mechanism.binary:
                        check_text(answer.response if isinstance(answer, Bound) else answer)
                else:
                    # What the user base can tell at once takes no generator of its own: 1 µs of 10.
                    answer = self._answer_at_once(want)
                    if answer is LATER:
                        answer = yield from self._answer(want)
        except StopIteration as end:
            verdict = end.value
        finally:
            # Its secrets go out of scope, also where the client has gone away.
            dialogue.close()
        if isinstance(verdict, Granted) and (mechanism.vouched or verdict.identity.authzid):
            verdict = yield from self._admit(verdict, vouched=mechanism.vouched)
        else:
            verdict = self._judge(verdict)
        if verdict.data is not None and not isinstance(verdict.data, bytes):
            raise BrokenMechanism(f"expected octets as last words, got {type(verdict.data).__name__}")
        # Success and failure may carry the mechanism's last words; else these cost one more round.
        if verdict.data is not None and FINAL_RESPONSE_OK not in self.request.fields:
            verdict = yield from self._last_words(mechanism, verdict, verdict.data)
        return verdict

    def _last_words(self, mechanism: Mechanism, verdict: Verdict, data: bytes) -> Generator[Challenge, bytes, Verdict]:
        if isinstance(verdict, Denied):
            self.cause = verdict.cause
        # A wrong proof shall be known when the failure delay is over, and not before.
        if self.cause not in GUESSES or not mechanism.secrets:
            # What the client answers means nothing: SCRAM's clients send nothing, OAuth's a dummy octet.
            yield Challenge(data)
        return Granted(verdict.identity) if isinstance(verdict, Granted) else Denied(verdict.cause)

    def accident(self, error: Exception) -> Denied | None:
        """The verdict after an accident that ends a login and nothing else; None for one that is a fault of ours."""
        for kind, cause in ACCIDENTS.items():
            if isinstance(error, kind):
                self.detail = str(error)
                return Denied(cause)
        return None

    def _answer_at_once(self, want: Want) -> object:
        if isinstance(want, Verify):
            self.username = self._asked = want.username
            checked = self._user_base.verify_at_once(want.username, want.password)
            if checked is not None:
                self._account, matches = checked
                return matches
        elif isinstance(want, Lookup):
            self.username = self._asked = want.username
            found = self._user_base.find_at_once(want.username, want.kinds)
            if found is not None:
                self._account, secret = found
                self._secret_missing = secret is None
                return secret
        elif isinstance(want, Decoy):
            return self._user_base.decoy(want.username, want.kind)
        return LATER

    def _answer(self, want: Want) -> Asking[Any]:  # noqa: PLR0911 - one want, one case
        match want:
            case Verify(username, password):
                self._account, matches = yield from self._user_base.verify(username, password, self.request)
                return matches
            case Lookup(username, kinds):
                self._account, secret = yield from self._user_base.find(username, kinds)
                self._secret_missing = secret is None
                return secret
            case Derive(password, form):
                return (yield from self._user_base.derive(password, form))
            case Inspect(token, asked):
                inspection = yield from self._user_base.inspect(token)
                self.username = self.username or inspection.username or asked or None
                self.detail = inspection.detail
                return inspection
            case PeerName():
                return self.request.certified or None
            case Compute(function, arguments):
                return (yield from self._computed(function, arguments))
            case Remark(text):
                self.detail = text
                return None
            case Await(awaitable) if isinstance(awaitable, Awaitable):
                try:
                    return (yield awaitable)
                except Exception as error:  # noqa: BLE001 - the mechanism may know what it means
                    return Raised(error)
        raise BrokenMechanism(f"expected a want from the mechanism, got {type(want).__name__}")

    def _computed(self, function: Callable[..., Any], arguments: tuple[object, ...]) -> Asking[Any]:
        try:
            return (yield from self._user_base.compute(function, arguments))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the mechanism knows what it means
            return Raised(error)
