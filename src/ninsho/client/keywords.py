"""The one set of names that are both a client's keywords and its URL's parameters, and where each was said."""

from collections.abc import Callable, Iterable, Mapping
from ssl import SSLContext
from typing import Any, Final, NamedTuple

from ninsho.client import words
from ninsho.client.assembly import assembled
from ninsho.client.settings import Retry, Settings, Timeouts
from ninsho.client.url import Address, finding, parse
from ninsho.errors import ConfigurationError
from ninsho.sasl.mechanism import Mechanism


class Word(NamedTuple):
    """How a name's value is read, whether it may be quoted, and whether a URL may have it."""

    read: Callable[[Any], Any]
    secret: bool = False
    in_url: bool = True


class Given(NamedTuple):
    """A value as it came, where it stood, for messages, and whether it may be a part of a password."""

    value: object
    place: str
    stray: bool = False


WORDS: Final[Mapping[str, Word]] = {
    # Where the server is. In a URL these stand before the parameters.
    "host": Word(words.hosts, secret=True, in_url=False),
    "port": Word(words.port, in_url=False),
    "path": Word(words.path, in_url=False),
    "protocol": Word(words.one_of("smtp", "lmtp"), in_url=False),
    # Whom to log in as.
    "username": Word(words.secret_text, secret=True, in_url=False),
    "password": Word(words.secret, secret=True, in_url=False),
    "password_from": Word(words.one_of("keyring", "netrc")),
    "password_command": Word(words.text, secret=True),
    "token": Word(words.secret, secret=True),
    "token_command": Word(words.text, secret=True),
    "authzid": Word(words.text),
    "auth": Word(words.text),
    "minimum": Word(words.text),
    "exclude": Word(words.names),
    "require_binding": Word(words.yes_or_no),
    "fall_through": Word(words.yes_or_no),
    "allow_cleartext": Word(words.yes_or_no),
    "iterations": Word(words.iterations),
    "mechanisms": Word(words.several(Mechanism), in_url=False),
    # TLS, and whom to believe.
    "tls": Word(words.tls),
    "context": Word(words.instance(SSLContext), in_url=False),
    "ca": Word(words.path),
    "certificate": Word(words.path),
    "key": Word(words.path),
    "key_password": Word(words.secret, secret=True),
    "server_name": Word(words.text),
    "fingerprint": Word(words.text),
    "verify": Word(words.yes_or_no),
    "minimum_version": Word(words.text),
    # How long, how many, how often.
    "timeout": Word(words.seconds),
    "timeouts": Word(words.instance(Timeouts), in_url=False),
    "deadline": Word(words.seconds),
    "connections": Word(words.count),
    "messages_per_connection": Word(words.count),
    "lifetime": Word(words.seconds),
    "idle": Word(words.seconds),
    "in_flight": Word(words.count),
    "rate": Word(words.rate),
    "attempts": Word(words.count),
    "retry": Word(words.instance(Retry), in_url=False),
    # The talk itself.
    "without": Word(words.capabilities),
    "ehlo_name": Word(words.ehlo_name),
    "proxy": Word(words.proxy, secret=True),
    "source_address": Word(words.source_address),
    "dotted": Word(words.one_of("raw", "quoted")),
    "pop": Word(words.mailbox, secret=True),
}
# Those of a group are one thing said in different ways: what keywords say of it replaces all that a URL says.
_GROUPS: Final = (
    {"password", "password_from", "password_command"},
    {"token", "token_command"},
    {"host", "path"},
    {"timeout", "timeouts"},
)
# What smtplib, other libraries and people call the same.
_OTHER_NAMES: Final = {"user": "username", "login": "username", "passwd": "password", "sni": "server_name"}


def settings_of(url: str | None, environ: Mapping[str, str], keywords: Mapping[str, object]) -> Settings:
    """Make settings; raise ``TypeError`` for an unknown keyword, ``ConfigurationError`` with all that is wrong."""
    if not isinstance(url, str | None):
        raise TypeError(f"expected one URL in a text, got {type(url).__name__}")
    for name in keywords:
        if name not in WORDS:
            raise TypeError(f"unknown keyword {name!r}{_suggestion(name, WORDS)}")
    told = {name: Given(value, name) for name, value in keywords.items() if value is not None}
    problems: list[str] = []
    found, scheme = _found(url, environ, told, problems)
    replaced = {name for group in _GROUPS if group & told.keys() for name in group}
    given = {**{name: one for name, one in found.items() if name not in replaced}, **told}
    values = dict(_read(given, problems))
    settings = assembled(values, scheme, problems, {name: one.place for name, one in given.items()})
    if settings is None:
        stray = any(one.stray for one in given.values())
        raise ConfigurationError(map(_without_finding, problems) if stray else problems)
    return settings


def behind_the_url(url: object, rest: tuple[object, ...]) -> TypeError:
    """What to raise for the *rest* that stands behind the *url*: smtplib takes a host, and then its port."""
    expected, meant = "expected one URL, and all else by keywords", f"smtp://{url}:{rest[0]}"
    address = parse(meant)
    # What may be a password is not shown.
    is_plain = len(rest) == 1 and isinstance(rest[0], int) and not (address.faults or address.username)
    return TypeError(f"{expected}; did you mean {meant}?" if is_plain else expected)


def _found(
    url: str | None, environ: Mapping[str, str], told: Mapping[str, Given], problems: list[str]
) -> tuple[dict[str, Given], str]:
    """What the URL or the environment says, and the scheme."""
    place = "url"
    # The environment's password is for the environment's server, and no other.
    if url is None and told.keys().isdisjoint(("host", "path")):
        if not environ.get("SMTP_URL"):
            return _of_variables(environ, problems), ""
        url, place = environ["SMTP_URL"].strip(), "SMTP_URL"
    if url is None:
        return {}, ""
    address = parse(url)
    problems += [f"{place}: {fault}" for fault in address.faults]
    return dict(_of_address(address, place, problems)), address.scheme


def _of_variables(environ: Mapping[str, str], problems: list[str]) -> dict[str, Given]:
    variables = {
        "host": "SMTP_HOST",
        "port": "SMTP_PORT",
        "username": "SMTP_USERNAME" if environ.get("SMTP_USERNAME") else "SMTP_USER",
        "password": "SMTP_PASSWORD",
    }
    if not environ.get("SMTP_HOST"):
        problems.append("url: expected one, or a host, or SMTP_URL or SMTP_HOST in the environment, got none")
        return {}
    return {name: Given(environ[key], key) for name, key in variables.items() if environ.get(key)}


def _of_address(address: Address, place: str, problems: list[str]) -> Iterable[tuple[str, Given]]:
    parts = {
        "host": address.hosts,
        "path": address.path,
        "username": address.username,
        "password": address.password,
    }
    yield from ((name, Given(value, f"{place}: {name}")) for name, value in parts.items() if value)
    known = [name for name, word in WORDS.items() if word.in_url]
    # Behind a ? that should have been %3F stands the rest of a password, and then an @.
    stray = any("@" in part for pair in address.parameters for part in pair)
    seen: set[str] = set()
    for name, value in address.parameters:
        if name not in known:
            problems.append(f"{place}: unknown parameter{_quoted(name) if not stray else ''}{_suggestion(name, known)}")
        elif name in seen:
            problems.append(f"{place}: {name}: expected once, got more")
        else:
            yield name, Given(value, f"{place}: {name}", stray)
        seen.add(name)


def _read(given: Mapping[str, Given], problems: list[str]) -> Iterable[tuple[str, Any]]:
    for name, one in given.items():
        try:
            yield name, WORDS[name].read(one.value)
        except ValueError as error:
            problems.append(f"{one.place}: {_fault(error, one.value, secret=WORDS[name].secret)}")


def _fault(error: ValueError, value: object, *, secret: bool) -> str:
    """What is wrong with *value*, and what was got, unless that may hold a password."""
    got = finding(value)
    if not got:
        return _without_finding(str(error))
    return str(error) if secret or ", got " in str(error) else f"{error}{got}"


def _without_finding(problem: str) -> str:
    return problem.partition(", got ")[0]


def _suggestion(name: str, known: Iterable[str]) -> str:
    return words.suggestion(name, known, (_OTHER_NAMES.get(name),))


def _quoted(name: str) -> str:
    return f" {name!r}" if name.isascii() and name.replace("_", "").isalpha() else ""
