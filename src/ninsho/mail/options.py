"""What a transaction may ask for besides delivery: the parameters of MAIL and RCPT."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from ninsho.mail.addresses import path, quoted, single
from ninsho.mail.terms import Terms
from ninsho.mail.unsendable import Unsendable, excerpt
from ninsho.wire.ehlo import DIGITS

Notify: TypeAlias = Literal["NEVER", "SUCCESS", "FAILURE", "DELAY"]
Dotted: TypeAlias = Literal["raw", "quoted"]

ENVID_LIMIT = 100  # characters (RFC 3461 §4.4)
PARAMETER_LIMIT = 500  # characters: of ORCPT (RFC 3461 §4.2), of AUTH (RFC 4954 §5), of further ones here

# RFC 5321 §4.1.2, esmtp-param.
_RAW = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:=[!-<>-~]+)?")
_ADDRESS_TYPE = re.compile(r"([A-Za-z0-9-]+);(.*)", re.DOTALL)
_NOT_XTEXT = re.compile(rb"[^!-*,-<>-~]")
# RFC 6533 §3: what stands for itself in utf-8-addr-xtext.
_NOT_QCHAR = re.compile(r"[^!-*,-<>-\[\]-~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What one transaction asks of the server.

    ``notify``, ``ret`` and ``envid`` (delivery status notifications, RFC 3461), ``auth`` (who submitted it, RFC 4954
    §5; ``<>`` for nobody known) and ``priority`` (RFC 6710, -9 to 9) are wishes: they are left out where the server
    does not offer them, and the message goes all the same. ``require_tls`` (RFC 8689), ``deliver_by`` (RFC 2852) and
    ``hold_for`` or ``hold_until`` (RFC 4865) change what happens: without the extension the message is ``Unsendable``.

    ``deliver_by`` counts seconds; ``deliver_by_mode`` says what happens when they are over: ``N``, notify, or ``R``,
    return. ``hold_for`` counts seconds as well; ``hold_until`` is an aware datetime. ``mail_parameters`` and
    ``rcpt_parameters`` are sent as they are, such as ``"XVERP"``.

    ``dotted`` says how the envelope has addresses such as ``a..b@docomo.ne.jp``, which are no addresses by RFC 5321 and
    exist: ``raw``, as they are, or ``quoted``, as ``"a..b"@docomo.ne.jp``; by default as the client is told.
    """

    notify: Collection[Notify] | None = None
    ret: Literal["FULL", "HDRS"] | None = None
    envid: str | None = None
    require_tls: bool = False
    deliver_by: int | None = None
    deliver_by_mode: Literal["N", "R"] = "N"
    deliver_by_trace: bool = False
    hold_for: int | None = None
    hold_until: datetime | None = None
    priority: int | None = None
    auth: str | None = None
    mail_parameters: Sequence[str] = ()
    rcpt_parameters: Sequence[str] = ()
    dotted: Dotted | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address with wishes of its own; ``orcpt`` is the original address, or ``type;address`` (RFC 3461 §4.2)."""

    address: str
    notify: Collection[Notify] | None = None
    orcpt: str | None = None

    def __str__(self) -> str:
        return self.address


NO_OPTIONS = Options()


def xtext(octets: bytes) -> str:
    """Encode *octets* as RFC 3461 §4 says."""
    return _NOT_XTEXT.sub(lambda found: b"+%02X" % found[0][0], octets).decode()


def quotes_dotted(dotted: str | None) -> bool:
    """Tell whether addresses with odd dots are to be quoted; raise ``Unsendable`` for a word that is none."""
    if dotted not in (None, "raw", "quoted"):
        raise Unsendable(f"dotted: expected raw or quoted, got {excerpt(dotted)}")
    return dotted == "quoted"


def mail_parameters(options: Options, terms: Terms, *, quotes: bool = False) -> str:
    """Return what *options* add to MAIL, each parameter behind a space; *quotes* is for addresses with odd dots."""
    return "".join(f" {parameter}" for parameter in _mail_parameters(options, terms, quotes=quotes))


def rcpt_parameters(recipient: Recipient | str, options: Options, terms: Terms) -> str:
    """Return what *options*, and the recipient's own, add to RCPT, each parameter behind a space."""
    return "".join(f" {parameter}" for parameter in _rcpt_parameters(recipient, options, terms))


def _mail_parameters(options: Options, terms: Terms, *, quotes: bool) -> Iterator[str]:
    if options.ret is not None or options.envid is not None:
        yield from _notification(options, terms)
    if options.auth is not None:
        yield from _submitter(options.auth, terms, quotes=quotes)
    if options.priority is not None:
        yield from _priority(options.priority, terms)
    if options.require_tls:
        _demand("REQUIRETLS", terms)
        yield "REQUIRETLS"
    if options.deliver_by is not None:
        yield _deadline(options.deliver_by, options, terms)
    if options.hold_for is not None or options.hold_until is not None:
        yield _held(options, terms)
    yield from _raw(options.mail_parameters)


def _rcpt_parameters(recipient: Recipient | str, options: Options, terms: Terms) -> Iterator[str]:
    own = recipient if isinstance(recipient, Recipient) else None
    notify = own.notify if own and own.notify is not None else options.notify
    if notify is not None and (events := _events(notify)) and terms.dsn:
        yield f"NOTIFY={events}"
    if own and own.orcpt is not None and (original := _original(own.orcpt)) and terms.dsn:
        yield f"ORCPT={original}"
    yield from _raw(options.rcpt_parameters)


def _demand(keyword: str, terms: Terms) -> None:
    if keyword not in terms.capabilities:
        raise Unsendable(f"expected a server that offers {keyword}, got one that does not")


def _notification(options: Options, terms: Terms) -> Iterator[str]:
    if options.ret not in (None, "FULL", "HDRS"):
        raise Unsendable(f"ret: expected FULL or HDRS, got {excerpt(options.ret)}")
    envid = "" if options.envid is None else _envid(options.envid)
    if terms.dsn and options.ret:
        yield f"RET={options.ret}"
    if terms.dsn and envid:
        yield f"ENVID={envid}"


def _envid(text: str) -> str:
    # RFC 3461 §4.4: printable before it is encoded.
    if not (isinstance(text, str) and text and text.isascii() and text.isprintable()):
        raise Unsendable(f"envid: expected printable ASCII, got {excerpt(text)}")
    return _limited("envid", xtext(text.encode()), ENVID_LIMIT)


def _limited(what: str, encoded: str, limit: int) -> str:
    if len(encoded) > limit:
        raise Unsendable(f"{what}: expected at most {limit} characters, got {len(encoded)}")
    return encoded


def _submitter(auth: str, terms: Terms, *, quotes: bool) -> Iterator[str]:
    if not isinstance(auth, str):
        raise Unsendable(f"auth: expected an address, got {excerpt(auth)}")
    address = b"<>" if auth in ("", "<>") else path(single(auth, "auth"))
    encoded = xtext(quoted(address) if quotes else address)
    if "AUTH" in terms.capabilities:
        yield f"AUTH={_limited('auth', encoded, PARAMETER_LIMIT)}"


def _priority(priority: int, terms: Terms) -> Iterator[str]:
    number = _whole("priority", priority, -9, 9)
    if "MT-PRIORITY" in terms.capabilities:
        yield f"MT-PRIORITY={number}"


def _whole(what: str, number: float, least: int, most: int, unit: str = "") -> int:
    # A float as well, as a timedelta counts its seconds.
    if not isinstance(number, int | float) or not least <= number <= most:
        raise Unsendable(f"{what}: expected {least} to {most}{unit}, got {excerpt(number)}")
    return int(number)


def _deadline(seconds: int, options: Options, terms: Terms) -> str:
    """Write BY (RFC 2852 §4); the keyword's parameter is the least time that the server takes for mode R."""
    _demand("DELIVERBY", terms)
    if options.deliver_by_mode not in ("N", "R"):
        raise Unsendable(f"deliver_by_mode: expected N or R, got {excerpt(options.deliver_by_mode)}")
    returns = options.deliver_by_mode == "R"
    least = max(1, _limit_of("DELIVERBY", 0, terms) or 1) if returns else -999_999_999
    seconds = _whole("deliver_by", seconds, least, 999_999_999, " seconds")
    return f"BY={seconds};{options.deliver_by_mode}{'T' if options.deliver_by_trace else ''}"


def _held(options: Options, terms: Terms) -> str:
    _demand("FUTURERELEASE", terms)
    if options.hold_for is None:
        return _held_until(options.hold_until, terms)
    if options.hold_until is not None:
        raise Unsendable("expected hold_for or hold_until, got both")
    longest = _limit_of("FUTURERELEASE", 0, terms) or 999_999_999
    return f"HOLDFOR={_whole('hold_for', options.hold_for, 1, longest, ' seconds')}"


def _held_until(moment: datetime | None, terms: Terms) -> str:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise Unsendable(f"hold_until: expected a datetime with its time zone, got {excerpt(str(moment))}")
    try:
        text = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    except OverflowError:
        raise Unsendable(f"hold_until: expected a datetime that UTC can tell, got {excerpt(str(moment))}") from None
    # RFC 4865 §4: a moment in UTC, written alike: so the later one is the greater text.
    latest = _word("FUTURERELEASE", 1, terms)
    if latest.endswith("Z") and text > latest:
        raise Unsendable(f"hold_until: expected {latest} at the latest, got {text}")
    return f"HOLDUNTIL={text}"


def _limit_of(keyword: str, place: int, terms: Terms) -> int | None:
    word = _word(keyword, place, terms)
    # More digits than Python reads are no limit that anybody means.
    return int(word) if len(word) <= DIGITS and word.isascii() and word.isdigit() else None


def _word(keyword: str, place: int, terms: Terms) -> str:
    words = terms.capabilities.parameters(keyword)
    return words[place] if len(words) > place else ""


def _events(notify: Collection[str]) -> str:
    words = (notify,) if isinstance(notify, str) else notify
    events = [str(event).upper() for event in words] if isinstance(words, Collection) else []
    if not events or not {"NEVER", "SUCCESS", "FAILURE", "DELAY"}.issuperset(events):
        raise Unsendable(f"notify: expected some of SUCCESS, FAILURE and DELAY, or NEVER, got {excerpt(notify)}")
    # RFC 3461 §4.1.
    if "NEVER" in events and len(events) > 1:
        raise Unsendable(f"notify: expected NEVER alone, got {excerpt(notify)}")
    return ",".join(dict.fromkeys(events))


def _original(orcpt: str) -> str:
    if not isinstance(orcpt, str):
        raise Unsendable(f"orcpt: expected an address, got {excerpt(orcpt)}")
    typed = _ADDRESS_TYPE.fullmatch(orcpt)
    kind, address = typed.groups() if typed else ("rfc822" if orcpt.isascii() else "utf-8", orcpt)
    if not (address and address.isprintable() and (address.isascii() or kind.lower() == "utf-8")):
        raise Unsendable(f"orcpt: expected an address, got {excerpt(orcpt)}")
    encoded = _utf8_xtext(address) if kind.lower() == "utf-8" else xtext(address.encode())
    return _limited("orcpt", f"{kind};{encoded}", PARAMETER_LIMIT)


def _utf8_xtext(address: str) -> str:
    return _NOT_QCHAR.sub(lambda found: rf"\x{{{ord(found[0]):02X}}}", address)


def _raw(parameters: Sequence[str]) -> Iterator[str]:
    if isinstance(parameters, str) or not isinstance(parameters, Iterable):
        raise Unsendable(f"expected a list of parameters, got {excerpt(parameters)}")
    for parameter in parameters:
        if not isinstance(parameter, str) or not _RAW.fullmatch(parameter):
            raise Unsendable(f"expected a parameter such as NAME=value, got {excerpt(parameter)}")
        yield _limited("parameter", parameter, PARAMETER_LIMIT)
