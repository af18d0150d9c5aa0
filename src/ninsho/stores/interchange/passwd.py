"""passwd-file, as Dovecot reads it: ``user:{SCHEME}hash:uid:gid:gecos:home:shell:extra fields``."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple, TextIO

from ninsho.stores.accounts import Network
from ninsho.stores.entries import Entry, stored_form
from ninsho.stores.interchange.numbered import Check, entries, numbered_lines
from ninsho.stores.interchange.whole import refuse_forms, refuse_unreadable, refuse_unsaid, said
from ninsho.stores.names import MalformedEntry
from ninsho.stores.networks import parse_networks, write_networks

# Of Dovecot's other passdb fields each would narrow or widen who gets in, or change the name; quoted when met.
_UNSUPPORTED = frozenset(
    (
        "allow_real_nets",
        "delay_until",
        "domain",
        "fail",
        "host",
        "k5principals",
        "login_user",
        "noauthenticate",
        "nopassword",
        "pass",
        "proxy",
        "proxy_always",
        "proxy_maybe",
        "user",
        "username",
    ),
)
_LOCKED = re.compile(r"x?|(?:\{CRYPT\})?[*!].*", re.IGNORECASE)
# Fields which only speak of what comes after the login.
_LATER = re.compile(r"(?:userdb|forward|event)_.*|nodelay|reason")


def read(lines: Iterable[str], *, default_scheme: str = "CRYPT", check: Check | None = None) -> Iterator[Entry]:
    """Yield the entries; *default_scheme* is that of a password without ``{SCHEME}``. Raises ``MalformedList``."""
    return entries(numbered_lines(lines), partial(parse, default_scheme=default_scheme), check=check)


def write(accounts: Iterable[Entry], stream: TextIO) -> None:
    """Write one line for each; raise ``MalformedEntry`` for the accounts that no line can say whole."""
    stream.writelines(said(accounts, _line))


def parse(line: str, *, default_scheme: str) -> Entry | None:
    """Read one line; None for a comment or nothing. Raises ``MalformedEntry``."""
    if not line.strip() or line.startswith("#"):
        return None
    name, colon, rest = line.partition(":")
    if not colon:
        raise MalformedEntry("expected user:password, got no colon")
    password, _, rest = rest.partition(":")
    secrets = secrets_in(password, default_scheme)
    if not rest:
        return Entry(name, secrets, default_scheme=default_scheme)
    _uid, _gid, gecos, _home, _shell, extra = (rest.split(":", 5) + [""] * 6)[:6]
    fields = extra_fields(extra)
    # Nobody logs in by a gecos field: what is not UTF-8 there does no harm.
    note = gecos.encode(errors="replace").decode()
    return Entry(name, secrets, fields.disabled, None, fields.networks, note, default_scheme, master=fields.master)


def secrets_in(password: str, default_scheme: str) -> tuple[str, ...]:
    """Return the form in a password field; none where it is locked."""
    return () if _locked(password, default_scheme) else (password,)


def _locked(password: str, default_scheme: str) -> bool:
    """Whether no password fits, as passwd(5) and shadow(5) say it: by nothing, ``x``, or ``*`` and ``!`` in front."""
    if not _LOCKED.fullmatch(password):
        return False
    try:
        stored_form(password, default_scheme)
    except MalformedEntry:
        return True
    # Where passwords are readable, one may begin so.
    return not password


class Extra(NamedTuple):
    """What extra fields say of an account; the field for masters is our own, as Dovecot keeps them in a file apart."""

    disabled: bool
    networks: tuple[Network, ...]
    master: bool


def extra_fields(extra: str) -> Extra:
    """Read them; raise ``MalformedEntry``, also for a field that may narrow access in a way that is not known here."""
    disabled, networks, master = False, tuple[Network, ...](), False
    # Dovecot's old format has an empty field here, and then a place for mail.
    for field in () if extra.startswith(":") else extra.split():
        name, _, value = field.partition("=")
        if name == "allow_nets":
            networks = _networks(value)
        elif name == "nologin":
            # Whatever the value: Dovecot only looks whether it is there.
            disabled = True
        elif name == "master":
            master = _truth(value)
        elif not _LATER.fullmatch(name):
            # What else stands here may be the rest of a password with a colon in it.
            finding = name if name in _UNSUPPORTED else "one that is not known"
            raise MalformedEntry(f"extra fields: expected allow_nets=, nologin or userdb_…, got {finding}")
    return Extra(disabled, networks, master)


def _truth(value: str) -> bool:
    # Dovecot has another field of that name, whose value is a user's.
    if value not in {"y", "yes", "n", "no"}:
        raise MalformedEntry("extra fields: expected master=y, got master with another value")
    return value.startswith("y")


def _networks(value: str) -> tuple[Network, ...]:
    try:
        networks = parse_networks(value)
    except ValueError as error:
        raise MalformedEntry(f"allow_nets: {error}") from None
    if not networks:
        # An empty list would let everybody in.
        raise MalformedEntry("allow_nets: expected a network, got none")
    return networks


def written_fields(entry: Entry) -> str:
    """Return the extra fields that say whom the account lets in; ``extra_fields`` reads them."""
    fields = ["nologin"] if entry.disabled else []
    if entry.networks:
        fields.append("allow_nets=" + write_networks(entry.networks).replace(" ", ","))
    fields += ["master=y"] if entry.master else []
    return " ".join(fields)


def _line(entry: Entry) -> str:
    refuse_forms(entry, form="a passwd-file")
    refuse_unsaid(entry, form="a passwd-file", says=("disabled", "networks", "note", "master"))
    refuse_unreadable(entry.name, *entry.secrets, entry.note, separators=":")
    extra = written_fields(entry)
    line = f"{entry.name}:{''.join(entry.secrets)}"
    return f"{line}:::{entry.note}:::{extra}\n" if entry.note or extra else f"{line}\n"
