"""Dialogues meet stores: every verdict is made here."""

from collections.abc import Awaitable, Callable, Generator
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
    check_message,
    farewell,
)
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores.accounts import Account, Request
from ninsho.stores.user_base import UserBase

Course: TypeAlias = Generator[Challenge | Awaitable[Any], Any, Verdict]
"""Yields a challenge for the client (the answer: its response) or something to await (the answer: its result)."""


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

    def run(self, mechanism: Mechanism, response: bytes | None, *, carries_data: bool = False) -> Course:
        """Play the server's side of *mechanism*, begun with the initial *response*.

        *carries_data*: success and failure can carry the mechanism's last words; else they cost one more round.
        """
        try:
            if response is not None:
                check_message(response, binary=mechanism.binary)
            verdict = self._judge((yield from self._converse(mechanism.server(response), binary=mechanism.binary)))
            if verdict.data is not None and not carries_data:
                verdict = yield from self._converse(farewell(verdict, verdict.data), binary=True)
        except MalformedMessage as error:
            self.detail = str(error)
            return Denied(Denial.MALFORMED)
        except UnicodeError:
            # What a mechanism of the site's own raises for octets that it cannot read.
            self.detail = "expected UTF-8"
            return Denied(Denial.MALFORMED)
        except StoreUnavailable as error:
            self.detail = str(error)
            return Denied(Denial.UNAVAILABLE)
        except MalformedSecret as error:
            self.detail = str(error)
            return Denied(Denial.ERROR)
        return verdict

    def _converse(self, dialogue: Dialogue, *, binary: bool) -> Course:
        answer: Any = None
        try:
            while True:
                match dialogue.send(answer):
                    case Challenge() as challenge:
                        answer = yield challenge
                        check_message(answer, binary=binary)
                    case Verify(username, password):
                        self.username = username
                        checked = yield from self._user_base.verify(username, password, self.request)
                        self._account = checked.account
                        answer = checked.matches
                    case Lookup(username, kinds):
                        self.username = username
                        found = yield from self._user_base.find(username, kinds)
                        self._account = found.account
                        self._secret_missing = found.secret is None
                        answer = found.secret
                    case Await(awaitable):
                        answer = yield awaitable
                    case other:
                        raise TypeError(f"expected a want from the mechanism, got {type(other).__name__}")
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            # Its secrets go out of scope, also where the client has gone away.
            dialogue.close()

    def _judge(self, verdict: Verdict) -> Verdict:
        match verdict:
            case Granted(identity):
                refusal = self._refusal(identity)
                return verdict if refusal is None else Denied(refusal)
            case Denied(Denial.MISMATCH, data) if self.username is not None and self._account is None:
                return Denied(Denial.UNKNOWN, data)
            case Denied(Denial.MISMATCH, data) if self._secret_missing:
                return Denied(Denial.NO_SECRET, data)
            case Denied():
                return verdict
            case _:
                assert_never(verdict)

    def _refusal(self, identity: Identity) -> Denial | None:
        """Why somebody who has proved who they are may not log in; the name is settled here, once."""
        self.username = identity.authcid
        self.user = identity.authcid if self._account is None else self._account.name
        if identity.authzid and identity.authzid not in (identity.authcid, self.user):
            return Denial.AUTHORIZATION
        if not self.user.isprintable():
            # Neither Postfix nor Exim could read it back from its escaped form.
            self.detail = "the user name has characters that the protocol would have to escape"
            return Denial.ERROR
        account = self._account
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
