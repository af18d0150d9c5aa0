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
    Want,
    check_message,
    farewell,
)
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores import hashing
from ninsho.stores.accounts import Account, Asking, Request
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

    def _converse(self, dialogue: Dialogue, *, binary: bool) -> Generator[Challenge | Awaitable[Any], Any, Verdict]:
        answer = None
        try:
            while True:
                want = dialogue.send(answer)
                if isinstance(want, Challenge):
                    answer = yield want
                    check_message(answer, binary=binary)
                else:
                    answer = yield from self._answer(want)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            # Its secrets go out of scope, also where the client has gone away.
            dialogue.close()

    def _answer(self, want: Want) -> Asking[Any]:
        match want:
            case Verify():
                self.username = want.username
                checked = yield from self._user_base.verify(want.username, want.password, self.request)
                self._account = checked.account
                return checked.matches
            case Lookup():
                return (yield from self._secret(want))
            case Await(awaitable):
                return (yield awaitable)
        raise TypeError(f"expected a want from the mechanism, got {type(want).__name__}")

    def _secret(self, lookup: Lookup[Any]) -> Asking[object]:
        self.username = lookup.username
        self._account = yield from self._user_base.find(lookup.username)
        if self._account is None:
            return None
        for stored in self._account.secrets:
            if (secret := hashing.secret_in(stored, lookup.kinds)) is not None:
                return secret
        self._secret_missing = True
        return None

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
        if identity.authzid not in {"", identity.authcid, self.user}:
            return Denial.AUTHORIZATION
        if not self.user.isprintable():
            # Neither Postfix nor Exim could read it back from its escaped form.
            self.detail = "the user name has characters that the protocol would have to escape"
            return Denial.ERROR
        return None if self._account is None else self._account_refusal(self._account)

    def _account_refusal(self, account: Account) -> Denial | None:
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
