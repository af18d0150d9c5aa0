"""Settings made of values that were read: what was not said is worked out from what was."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from ninsho.client.secret_sources import FromCommand, from_command, from_keyring, from_netrc
from ninsho.client.settings import (
    Endpoint,
    Limits,
    Login,
    PopSettings,
    Retry,
    Settings,
    Timeouts,
    TLSMode,
    Trust,
)
from ninsho.client.words import REQUIRED
from ninsho.errors import ConfigurationError

T = TypeVar("T")

IMPLICIT_PORT = 465  # RFC 8314 §7.3
SUBMISSION_PORT = 587  # RFC 6409 §3.1
RELAY_PORT = 25  # RFC 5321 §4.5.4.2
LMTP_PORT = 24  # "any private mail system": LMTP has none of its own, and must not use 25 (RFC 2033 §5)
_CREDENTIALS: Final = {"username", "password", "password_from", "password_command", "token", "token_command", "auth"}
_ALTERNATIVES: Final = (("password", "password_from", "password_command"), ("token", "token_command"))
_MANNERS: Final = ("authzid", "minimum", "exclude", "require_binding", "fall_through")
_IDENTITY: Final = {"context", "ca", "certificate", "server_name", "fingerprint"}
_BELIEF: Final = {"context", "ca", "fingerprint"}
_STRIPPED: Final = (
    "expected starttls or implicit beside a login, got opportunistic: who takes STARTTLS out of the server's offer "
    "would read it; allow_cleartext=yes lets that be"
)
_PHASES: Final = [field.name for field in fields(Timeouts) if field.name != "total"]


def assembled(
    values: Mapping[str, Any], scheme: str, problems: list[str], places: Mapping[str, str]
) -> Settings | None:
    """Make settings of *values*; add what is wrong to *problems*, with its place, and return None where anything is."""
    maker = _Maker(values, scheme, problems, places)
    parts = maker.parts()
    return None if problems else maker.attempt(Settings, **parts)


class _Maker:
    """Makes each part on its own, so that all that is wrong is told at once."""

    def __init__(self, values: Mapping[str, Any], scheme: str, problems: list[str], places: Mapping[str, str]) -> None:
        self._values, self._scheme, self._problems, self._places = values, scheme, problems, places
        self._credentials = bool(places.keys() & _CREDENTIALS)
        self._protocol = values.get("protocol") or ("lmtp" if scheme.startswith("lmtp") else "smtp")

    def parts(self) -> dict[str, Any]:
        """The values of each of the fields of ``Settings`` that are told or follow."""
        self._check_words()
        endpoints = self._endpoints()
        tls = self._tls(endpoints)
        login = self._login(endpoints, tls) if self._credentials else None
        pop = self._pop(login)
        self._check_opportunistic(tls, login, pop)
        alike = ("rate", "ehlo_name", "proxy", "source_address", "without", "dotted")
        return {
            "endpoints": endpoints,
            "protocol": self._protocol,
            "tls": tls,
            "login": login,
            "trust": self.attempt(Trust, **self._of(Trust)),
            "timeouts": self._timeouts(),
            "limits": self.attempt(Limits, **self._of(Limits)),
            "retry": replace(self._values.get("retry", Retry()), **self._only("attempts")),
            "pop": pop,
            **self._only(*alike),
        }

    def attempt(self, build: Callable[..., T], **values: Any) -> T | None:  # noqa: ANN401 - a field's
        """Build one part; what is wrong with it is kept."""
        try:
            return build(**values)
        except ConfigurationError as error:
            self._problems += map(self._placed, error.problems)
        return None

    def _placed(self, problem: str) -> str:
        name, colon, rest = problem.partition(":")
        return f"{self._places.get(name, name)}{colon}{rest}"

    def _only(self, *names: str) -> dict[str, Any]:
        return {name: self._values[name] for name in names if name in self._values}

    def _of(self, kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
        return self._only(*(field.name for field in fields(kind)))

    def _endpoints(self) -> tuple[Endpoint, ...]:
        if path := self._values.get("path"):
            return (Endpoint("", 0, path),)
        told = self._values.get("port")
        hosts = self._values.get("host", ())
        return tuple(Endpoint(host, told or port or self._default_port()) for host, port in hosts)

    def _default_port(self) -> int:
        if self._scheme == "smtps" or self._values.get("tls") is TLSMode.IMPLICIT:
            return IMPLICIT_PORT
        if self._protocol == "lmtp":
            return LMTP_PORT
        # Who logs in submits a message (RFC 6409 §4.3); who does not relays it, and finds port 25 alone.
        return SUBMISSION_PORT if self._credentials else RELAY_PORT

    def _tls(self, endpoints: tuple[Endpoint, ...]) -> TLSMode:
        told, implicit = self._values.get("tls"), [one.port == IMPLICIT_PORT for one in endpoints]
        if isinstance(told, TLSMode):
            self._check_scheme(told)
            return told
        if self._scheme == "smtps" or (implicit and all(implicit)):
            return TLSMode.IMPLICIT
        if any(implicit):
            self._problems.append("tls: expected to be told, as port 465 begins with TLS, which the others do not")
        return TLSMode.STARTTLS if told == REQUIRED else self._default_tls(endpoints)

    def _check_scheme(self, told: TLSMode) -> None:
        # A keyword wins over the scheme; a parameter only contradicts it.
        if self._scheme == "smtps" and told is not TLSMode.IMPLICIT and self._places["tls"] != "tls":
            self._problems.append(f"{self._places['tls']}: expected implicit with smtps://, got {told.value}")

    def _default_tls(self, endpoints: tuple[Endpoint, ...]) -> TLSMode:
        if all(one.path for one in endpoints):
            return TLSMode.NONE
        # Who says whom to believe wants it proved.
        named = not self._values.keys().isdisjoint(_IDENTITY)
        if self._credentials or named or any(one.port == SUBMISSION_PORT for one in endpoints):
            return TLSMode.STARTTLS
        if self._protocol == "lmtp" or all(map(self._is_near, endpoints)):
            return TLSMode.NONE
        return TLSMode.OPPORTUNISTIC

    def _is_near(self, endpoint: Endpoint) -> bool:
        # Behind a proxy, localhost is the proxy's.
        return endpoint.loopback and "proxy" not in self._places

    def _login(self, endpoints: tuple[Endpoint, ...], tls: TLSMode) -> Login | None:
        values = {**self._of(Login), **self._commands(), **self._looked_up(endpoints)}
        # What is wrong with a secret is told already: that it is missing would be told as well.
        stand_ins = {
            names[0]: "?" for names in (*_ALTERNATIVES, ("username",)) if not self._places.keys().isdisjoint(names)
        }
        values = {**stand_ins, **{name: value for name, value in values.items() if value is not None}}
        told_none = self._values.get("tls") is TLSMode.NONE
        local = all(one.path or (told_none and self._is_near(one)) for one in endpoints)
        values.setdefault("allow_cleartext", tls is TLSMode.NONE and local)
        return self.attempt(Login, **values)

    def _commands(self) -> dict[str, FromCommand | None]:
        return {
            name.removesuffix("_command"): self.attempt(from_command, command=command)
            for name, command in self._only("password_command", "token_command").items()
        }

    def _looked_up(self, endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
        """The password's source where the host is what it is kept by; a netrc file knows the user name as well."""
        source = self._values.get("password_from")
        if source is None:
            return {}
        host, username = endpoints[0].host if endpoints else "", self._values.get("username", "")
        if not host:
            self._problems.append(f"{self._places['password_from']}: expected a host that it knows the password of")
        elif source == "keyring":
            return {"password": from_keyring(host, username)}
        else:
            found = from_netrc(host, username=username)
            return {"password": found, "username": username or self.attempt(found.login)}
        return {}

    def _check_words(self) -> None:
        """What is said twice, and what is said of a login that is none."""
        useless = () if self._credentials else [name for name in _MANNERS if name in self._places]
        self._problems += [
            f"{self._places[name]}: expected a username or token beside it, got none" for name in useless
        ]
        for names in _ALTERNATIVES:
            if len(found := [name for name in names if name in self._places]) > 1:
                self._problems.append(f"{self._places[found[1]]}: expected one of {' and '.join(found)}, got both")

    def _timeouts(self) -> Timeouts:
        told: Timeouts | None = self._values.get("timeouts")
        if told is not None:
            return replace(told, **self._total())
        same = dict.fromkeys(_PHASES, self._values["timeout"]) if "timeout" in self._values else {}
        return Timeouts(**same, **self._total())

    def _total(self) -> dict[str, float]:
        return {"total": self._values["deadline"]} if "deadline" in self._values else {}

    def _pop(self, login: Login | None) -> PopSettings | None:
        told: PopSettings | None = self._values.get("pop")
        if told is None:
            return None
        told = replace(told, allow_cleartext=told.allow_cleartext or self._values.get("allow_cleartext", False))
        if told.username or login is None:
            return told
        # A password without a user name is the mailbox's own all the same.
        password = login.password if told.password is None else told.password
        return replace(told, username=login.username, password=password)

    def _check_opportunistic(self, tls: TLSMode, login: Login | None, pop: PopSettings | None) -> None:
        """Refuse what is worth nothing where somebody takes STARTTLS out of the server's offer."""
        place, has_pop_tls = self._places.get("tls", "tls"), pop is not None and pop.tls is not TLSMode.NONE
        if tls is TLSMode.OPPORTUNISTIC and self._places.keys() & _BELIEF and not has_pop_tls:
            expected = "expected starttls or implicit, as it is said whom to believe, got opportunistic"
            self._problems.append(f"{place}: {expected}")
        if tls is TLSMode.OPPORTUNISTIC and login is not None and not login.allow_cleartext:
            self._problems.append(f"{place}: {_STRIPPED}")
        if pop is not None and pop.tls is TLSMode.OPPORTUNISTIC and not pop.allow_cleartext:
            self._problems.append(f"{self._places['pop']}: tls: {_STRIPPED}")
