"""Dialogues meet stores: every verdict is made here."""

from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, TypeAlias, assert_never

from ninsho.errors import MalformedMessage, MalformedSecret, StoreUnavailable
from ninsho.sasl.dialogue import (
    Await,
    Challenge,
    Denial,
    Denied,
    Dialogue,
    Granted,
    Identity,
    Lookup,
    Verdict,
    Verify,
    Want,
    check_text,
)
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores.accounts import Account, Asking, Request
from ninsho.stores.user_base import UserBase
from ninsho.text import NAME_LIMIT

Course: TypeAlias = Generator[Challenge | Awaitable[Any], Any, Verdict]
"""Yields a challenge for the client (the answer: its response) or something to await (the answer: its result)."""

# Accidents that end a login, and nothing else.
ACCIDENTS: dict[type[Exception], Denial] = {
    MalformedMessage: Denial.MALFORMED,
    StoreUnavailable: Denial.UNAVAILABLE,
    MalformedSecret: Denial.ERROR,
}


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


class Attempt:
    """One login: a mechanism's dialogue, answered from the user base, to its verdict.

    ``username`` is the name that the client gave, as far as it gave one, and ``user`` the name to log in; ``detail``
    says what was wrong with a message, or what went wrong inside, for the log.
    """

    __slots__ = ("_account", "_clock", "_secret_missing", "_user_base", "detail", "request", "user", "username")

    def __init__(self, user_base: UserBase, request: Request, clock: Callable[[], float]) -> None:
        self.request = request
        self.username: str | None = None
        self.user = ""
        self.detail = ""
        self._user_base = user_base
        self._clock = clock
        self._account: Account | None = None
        self._secret_missing = False

    def run(self, mechanism: Mechanism, response: bytes | None, carries_data: bool = False) -> Course:  # noqa: FBT001, FBT002 - a keyword takes 0.2 µs more here
        """Play the server's side of *mechanism*, begun with the initial *response*.

        *carries_data*: success and failure can carry the mechanism's last words; else they cost one more round.
        What a mechanism or a store raises passes through: see ``accident``.
        """
        dialogue, answer = mechanism.server(response), None
        try:
            if response is not None and not mechanism.binary:
                check_text(response)
            while True:
                want = _next(dialogue, answer)
                if isinstance(want, Challenge):
                    answer = yield want
                    if not mechanism.binary:
                        check_text(answer)
                else:
                    # What the user base can tell at once takes no generator of its own: 1 µs of 10.
                    answer = self._answer_at_once(want)
                    if answer is None:
                        answer = yield from self._answer(want)
        except StopIteration as end:
            verdict = self._judge(end.value)
        finally:
            # Its secrets go out of scope, also where the client has gone away.
            dialogue.close()
        if verdict.data is not None and not carries_data:
            # What the client answers to last words means nothing: SCRAM's clients send nothing, OAuth's a dummy octet.
            yield Challenge(verdict.data)
            verdict = replace(verdict, data=None)
        return verdict

    def accident(self, error: Exception) -> Denied | None:
        """The verdict after an accident that ends a login and nothing else; None for one that is a fault of ours."""
        for kind, cause in ACCIDENTS.items():
            if isinstance(error, kind):
                self.detail = str(error)
                return Denied(cause)
        return None

    def _answer_at_once(self, want: Want) -> object | None:
        if isinstance(want, Verify):
            self.username = want.username
            checked = self._user_base.verify_at_once(want.username, want.password)
            if checked is not None:
                self._account, matches = checked
                return matches
        elif isinstance(want, Lookup):
            self.username = want.username
            found = self._user_base.find_at_once(want.username, want.kinds)
            if found is not None:
                self._account, secret = found
                return secret
        return None

    def _answer(self, want: Want) -> Asking[Any]:
        match want:
            case Verify(username, password):
                self._account, matches = yield from self._user_base.verify(username, password, self.request)
                return matches
            case Lookup(username, kinds):
                self._account, secret = yield from self._user_base.find(username, kinds)
                self._secret_missing = secret is None
                return secret
            case Await(awaitable) if isinstance(awaitable, Awaitable):
                try:
                    return (yield awaitable)
                except Exception as error:  # noqa: BLE001 - the mechanism may know what it means
                    return Raised(error)
        raise TypeError(f"expected a want from the mechanism, got {type(want).__name__}")

    def _judge(self, verdict: Verdict) -> Verdict:
        # First, and by hand: most logins are granted, and a pattern takes 0.2 µs more.
        if isinstance(verdict, Granted):
            refusal = self._refusal(verdict.identity)
            return verdict if refusal is None else Denied(refusal)
        match verdict:
            case Denied(Denial.MISMATCH, data) if self.username is not None and self._account is None:
                return Denied(Denial.UNKNOWN, data)
            case Denied(Denial.MISMATCH, data) if self._secret_missing:
                return Denied(Denial.NO_SECRET, data)
            case Denied():
                return verdict
            case _:
                assert_never(verdict)

    def _refusal(self, identity: Identity) -> Denial | None:  # noqa: PLR0911 - one reason, one line
        """Why somebody who has proved who they are may not log in; the name is settled here, once."""
        # A mechanism of the site's own may grant another name than it asked about.
        account = self._account if identity.authcid == self.username else None
        self.username = identity.authcid
        self.user = identity.authcid if account is None else account.name
        if identity.authzid and identity.authzid not in (identity.authcid, self.user):
            return Denial.AUTHORIZATION
        if not (self.user and self.user.isprintable() and len(self.user) <= NAME_LIMIT):
            # Neither Postfix nor Exim could read it back: not from its escaped form, and not without one.
            self.detail = "the user name is empty, too long, or would have to be escaped"
            return Denial.MALFORMED if account is None else Denial.ERROR
        if account is None:
            return None
        if account.disabled:
            return Denial.DISABLED
        if account.expires is not None and account.expires <= self._clock():
            return Denial.EXPIRED
        if account.networks and not self._from_one_of(account):
            return Denial.NETWORK
        return None

    def _from_one_of(self, account: Account) -> bool:
        try:
            address = ip_address(self.request.remote_ip)
        except ValueError:
            return False
        return any(address in network for network in account.networks)
