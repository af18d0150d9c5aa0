"""What a site expects of an issuer's tokens, and what a token's claims (RFC 7519, RFC 7662) come to by that."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ninsho.sasl.dialogue import Inspection
from ninsho.stores.names import MalformedEntry, prepare_name

Claims: TypeAlias = Mapping[str, Any]

INVALID_TOKEN = "invalid_token"  # noqa: S105 - RFC 6750 §3.1
INSUFFICIENT_SCOPE = "insufficient_scope"  # the same
# In lower case: what Keycloak ("Refresh", "ID"), Hydra and Cognito call what is no access token.
OTHER_KINDS = frozenset(("refresh", "refresh_token", "offline", "offline_access", "id", "id_token", "logout"))
FAR = float(1 << 53)  # seconds
FINDING_LIMIT = 80  # characters of a token that a log shows


class Judgement(NamedTuple):
    """An inspection, and the Unix time until which it may be remembered."""

    inspection: Inspection
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Expectations:
    """What one issuer's tokens must say.

    Of *audience* one has to be in the token, of *scopes* all; an empty *audience* stands for any. The user's name is
    the claim *username_claim* with *username_suffix* behind it. *leeway* and *remember* are in seconds;
    *configuration* is the URL that clients are told, where they learn of a better token.
    """

    issuer: str
    audience: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    username_claim: str = "email"
    username_suffix: str = ""
    leeway: float = 60.0
    remember: float = 300.0
    configuration: str = ""

    def refused(self, detail: str, status: str = INVALID_TOKEN) -> Judgement:
        """The judgement on a token that is not good here; *detail* is for the log."""
        return Judgement(Inspection(None, status, " ".join(self.scopes), self.configuration, detail))

    def judge(self, claims: Claims, now: float, *, signed: bool) -> Judgement:
        """Judge a token by its *claims*, which its issuer stands by.

        A *signed* one has to tell its issuer and its end; of another one the issuer itself has said that it is good.
        """
        if detail := next(self._faults(claims, now, signed=signed), None):
            return self.refused(detail)
        if missing := [scope for scope in self.scopes if scope not in scopes_of(claims)]:
            return self.refused(f"scope: expected {' '.join(missing)} too", INSUFFICIENT_SCOPE)
        try:
            username = self._username(claims)
        except MalformedEntry as error:
            return self.refused(f"{self.username_claim}: {error}")
        return Judgement(Inspection(username), min(claims.get("exp", math.inf), now + self.remember))

    def _faults(self, claims: Claims, now: float, *, signed: bool) -> Iterator[str]:
        for name in ("typ", "token_use", "token_type"):
            # RFC 8725 §3.11: what is made for another use is not good for this one.
            if any(kind.lower() in OTHER_KINDS for kind in texts(claims.get(name))):
                yield f"{name}: expected an access token, got {finding(claims, name)}"
        if (signed or "iss" in claims) and self.issuer and claims.get("iss") != self.issuer:
            yield f"iss: expected {self.issuer}, got {finding(claims, 'iss')}"
        for name in ("exp", "nbf", "iat"):
            if (name in claims or (signed and name == "exp")) and not is_moment(claims.get(name)):
                yield f"{name}: expected a time, got {finding(claims, name)}"
                # What cannot be compared is not.
                return
        if claims.get("exp", math.inf) <= now - self.leeway:
            yield f"exp: expired {now - claims['exp']:.0f} s ago"
        for name in ("nbf", "iat"):
            if claims.get(name, now) > now + self.leeway:
                yield f"{name}: is {claims[name] - now:.0f} s ahead"
        # A token that names no audience is not for everybody (Dovecot 2.3.21.1).
        if self.audience and not set(self.audience) & set(texts(claims.get("aud"))):
            yield f"aud: expected one of {' '.join(self.audience)}, got {finding(claims, 'aud')}"
        if "cnf" in claims:
            # RFC 7800 §3.1: whoever presents it has to prove more than a bearer can.
            yield "cnf: expected a token that is not bound to a key"
        # Cognito writes it as a string.
        if self.username_claim == "email" and claims.get("email_verified", True) not in (True, "true"):
            yield f"email_verified: expected true, got {finding(claims, 'email_verified')}"

    def _username(self, claims: Claims) -> str:
        name = claims.get(self.username_claim)
        if not isinstance(name, str) or not name:
            raise MalformedEntry(f"expected a user name, got {finding(claims, self.username_claim)}")
        return prepare_name(name + self.username_suffix)


def scopes_of(claims: Claims) -> tuple[str, ...]:
    """The scopes of a token: words in ``scope`` (RFC 8693 §4.2), or ``scp``, as Entra and Okta call it."""
    return tuple(word for name in ("scope", "scp") for text in texts(claims.get(name)) for word in text.split())


def texts(value: object) -> tuple[str, ...]:
    """The strings in a claim that is one or an array of them."""
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def is_moment(value: object) -> bool:
    """Whether *value* is a NumericDate (RFC 7519 §2); JSON as Python reads it has NaN, Infinity and endless numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < FAR


def finding(claims: Claims, name: str) -> str:
    """Show the claim *name*, or say that there is none."""
    return shown(claims[name]) if name in claims else "none"


def shown(value: object) -> str:
    """Show what stood in a token, in a message for the log: one line, and not a long one."""
    try:
        text = ascii(value)
    except RecursionError:
        return "what is nested too deep"
    return text if len(text) <= FINDING_LIMIT else f"{text[:FINDING_LIMIT]}…"
