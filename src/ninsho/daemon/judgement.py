"""Whether somebody who has proved who they are may log in, and as whom."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

from ninsho.errors import BrokenMechanism
from ninsho.sasl.dialogue import Denial, Denied, Granted, Identity, Verdict
from ninsho.stores.accounts import Account, Asking, Request
from ninsho.stores.names import key_of
from ninsho.stores.user_base import UserBase
from ninsho.text import NAME_LIMIT


class Rules(NamedTuple):
    """What a site permits.

    ``masters``: accounts that are marked so may act as others. ``strangers``: users whom a token, a ticket or a
    certificate names may log in without an account.
    """

    masters: bool = False
    strangers: bool = False


NO_EXCEPTIONS = Rules()


class Judgement:
    """What is known of a login under way, and what is made of it.

    ``username`` is the name that the client gave, as far as it gave one, and ``user`` the name to log in, which is not
    that of the ``master`` who acts as that user; ``authzid`` is whom a user wants to act as. ``cause`` is why the login
    is refused, once that is known; ``detail`` says what was wrong with a message, or what went wrong inside.
    """

    __slots__ = (
        "_account",
        "_asked",
        "_clock",
        "_rules",
        "_secret_missing",
        "_user_base",
        "authzid",
        "cause",
        "detail",
        "master",
        "request",
        "user",
        "username",
    )

    def __init__(
        self, user_base: UserBase, request: Request, clock: Callable[[], float], rules: Rules = NO_EXCEPTIONS
    ) -> None:
        self.request = request
        self.username: str | None = None
        self.user = ""
        self.master: str | None = None
        self.authzid: str | None = None
        self.cause: Denial | None = None
        self.detail = ""
        self._rules = rules
        self._user_base = user_base
        self._clock = clock
        # Whose account was asked for, and that account if there is one.
        self._asked: str | None = None
        self._account: Account | None = None
        self._secret_missing = False

    def _admit(self, granted: Granted, *, vouched: bool) -> Asking[Verdict]:
        """Judge somebody whom others than the stores vouch for, or who wants to act as somebody else."""
        identity = granted.identity
        if vouched:
            self.username = self._asked = identity.authcid
            self._account = yield from self._user_base.account(identity.authcid)
            if self._account is None and not self._rules.strangers:
                return Denied(Denial.UNKNOWN)
        verdict = self._judge(granted)
        if isinstance(verdict, Denied) or not identity.authzid or key_of(identity.authzid) == key_of(self.user):
            return verdict
        self.authzid = identity.authzid
        return verdict if (yield from self._acts_as(identity.authzid)) else Denied(Denial.AUTHORIZATION)

    def _acts_as(self, username: str) -> Asking[bool]:
        """Let a master act as *username*, who has to be somebody that could log in (RFC 4422 §3.4.1)."""
        master = self._account
        if not (self._rules.masters and master is not None and master.master):
            return False
        account = yield from self._user_base.account(username)
        if account is None or self._objection(account) is not None or not self._can_be_told(account.name):
            return False
        self.master, self.user = master.name, account.name
        return True

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
                raise BrokenMechanism(f"expected Granted or Denied from the mechanism, got {type(verdict).__name__}")

    def _refusal(self, identity: Identity) -> Denial | None:
        """Why somebody who has proved who they are may not log in; the name is settled here, once."""
        if not isinstance(identity.authcid, str):
            raise BrokenMechanism(f"expected a text in Identity, got {type(identity.authcid).__name__}")
        # A mechanism of the site's own may grant another name than it asked about.
        account = self._account if identity.authcid == self._asked else None
        self.username = identity.authcid
        self.user = identity.authcid if account is None else account.name
        if not self._can_be_told(self.user):
            return Denial.MALFORMED if account is None else Denial.ERROR
        return None if account is None else self._objection(account)

    def _can_be_told(self, user: str) -> bool:
        """Whether Postfix and Exim could read the name back: not from its escaped form, and not without one."""
        if user and user.isprintable() and len(user) <= NAME_LIMIT:
            return True
        self.detail = "the user name is empty, too long, or would have to be escaped"
        return False

    def _objection(self, account: Account) -> Denial | None:
        """Why nobody may use *account* now and from there."""
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
