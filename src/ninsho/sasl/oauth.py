"""OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's and Microsoft's): the user shows a bearer token."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Dialogue, Granted, Identity, Inspect, Inspection, Remark
from ninsho.sasl.exchange import Credentials, Steps
from ninsho.sasl.gs2 import header, parse_header
from ninsho.sasl.mechanism import Mechanism, Properties
from ninsho.text import prepare_username, prepared_or_raw

SEPARATOR = b"\x01"  # RFC 7628 §3.1: kvsep
INVALID_REQUEST = "invalid_request"  # RFC 6750 §3.1
DEFAULT_SCOPE = "mail"  # told where none is configured, as Dovecot does

# Google's page has HTTP's numbers where RFC 7628 has the words of RFC 6750.
_XOAUTH2_STATUS = {INVALID_REQUEST: "400", "insufficient_scope": "403"}


@dataclass(frozen=True, slots=True)
class Presented:
    """What a client's message holds: whom it names (empty: whoever the token does), and the token.

    The token is empty where the client asks what kind of token it would take (RFC 7628 §4.3).
    """

    asked: str
    token: str = field(repr=False)


class Refusal(NamedTuple):
    """Why a server refused a token, and where to get a better one; what it did not say is empty.

    ``status`` is a word of RFC 6750 §3.1, such as ``invalid_token``, or with XOAUTH2 a number of HTTP, such as ``401``.
    ``configuration`` is the URL of the issuer's metadata (RFC 8414).
    """

    status: str = ""
    scope: str = ""
    configuration: str = ""


def oauthbearer(response: bytes | None) -> Dialogue:
    """The server's side of OAUTHBEARER."""
    return _inspected(response, _read_oauthbearer, _oauthbearer_error)


def xoauth2(response: bytes | None) -> Dialogue:
    """The server's side of XOAUTH2."""
    return _inspected(response, _read_xoauth2, _xoauth2_error)


def _inspected(
    response: bytes | None, read: Callable[[bytes], Presented], error: Callable[[str, Inspection], bytes]
) -> Dialogue:
    if response is None:
        response = yield from Challenge(b"")
    try:
        presented = read(response)
    except MalformedMessage as fault:
        # RFC 7628 §3.2.2 has an answer for this too, and only the inspector knows what it would take.
        inspection = yield from Inspect("")
        yield from Remark(str(fault))
        return Denied(Denial.MALFORMED, error(INVALID_REQUEST, inspection))
    inspection = yield from Inspect(presented.token, presented.asked)
    if inspection.username is None:
        return Denied(Denial.TOKEN, error(inspection.status, inspection))
    return Granted(_identity(inspection.username, presented.asked))


def _identity(owner: str, asked: str) -> Identity:
    """The token says whose it is; any other name that the client gives is one to act as (RFC 7628 §3.1)."""
    authcid = prepare_username(owner.encode())
    return Identity(authcid, "" if asked == authcid else asked)


def _read_oauthbearer(message: bytes) -> Presented:
    first = parse_header(message)
    if first.flag == "p":
        # RFC 7628 §3.1 leaves it to later documents, and there is none.
        raise MalformedMessage("expected no channel binding, got one")
    pairs = _pairs(message[len(first.raw) :])
    return Presented(prepare_username(first.authzid) if first.authzid else "", _token(pairs))


def _read_xoauth2(message: bytes) -> Presented:
    pairs = _pairs(SEPARATOR + message)
    return Presented(prepare_username(pairs.get(b"user", b"")), _token(pairs))


def _pairs(text: bytes) -> dict[bytes, bytes]:
    """Read keys and values; those that nobody here knows are ignored later (RFC 7628 §3.1)."""
    match text.split(SEPARATOR):
        case [b"", *parts, b"", b""]:
            pairs = dict(_pair(part) for part in parts)
        case _:
            raise MalformedMessage("expected pairs between octets 01, and two of these at the end")
    if len(pairs) != len(parts):
        raise MalformedMessage("expected each key once")
    return pairs


def _pair(part: bytes) -> tuple[bytes, bytes]:
    key, separator, value = part.partition(b"=")
    if not (separator and key.isalpha()):
        raise MalformedMessage("expected a key of letters, '=' and a value")
    return key, value


def _token(pairs: dict[bytes, bytes]) -> str:
    if not (value := pairs.get(b"auth")):
        return ""
    scheme, _, rest = value.partition(b" ")
    token = rest.lstrip(b" ").decode("ascii", "replace")
    if scheme.lower() != b"bearer" or not _is_token(token):
        raise MalformedMessage("auth: expected Bearer and a token of printable characters")
    return token


def _is_token(text: str) -> bool:
    # RFC 6750 §2.1 has fewer characters; RFC 6749 appendix A.12 allows all of these.
    return text.isascii() and text.isprintable() and " " not in text and bool(text)


def _oauthbearer_error(status: str, inspection: Inspection) -> bytes:
    return _json({"status": status, "scope": inspection.scope or DEFAULT_SCOPE}, inspection)


def _xoauth2_error(status: str, inspection: Inspection) -> bytes:
    number = _XOAUTH2_STATUS.get(status, "401")
    return _json({"status": number, "schemes": "bearer", "scope": inspection.scope or DEFAULT_SCOPE}, inspection)


def _json(members: dict[str, str], inspection: Inspection) -> bytes:
    # Loaded for those who have something to tell: it takes 1.5 ms of the start of serve --stdio.
    import json  # noqa: PLC0415

    if inspection.configuration:
        members["openid-configuration"] = inspection.configuration
    return json.dumps(members, separators=(",", ":")).encode()


def read_refusal(challenge: bytes | None) -> Refusal:
    """Read a server's error message; what is missing, or cannot be read, is empty."""
    import json  # noqa: PLC0415 - see above

    try:
        members = json.loads(challenge or b"")
    except (ValueError, RecursionError):
        return Refusal()
    if not isinstance(members, dict):
        return Refusal()
    # Some servers write the status as a number.
    texts = (members.get(name) for name in ("status", "scope", "openid-configuration"))
    return Refusal(*(str(text) if isinstance(text, str | int) else "" for text in texts))


def oauthbearer_client(credentials: Credentials) -> Steps:
    """The client's side of OAUTHBEARER; ``read_refusal`` reads what the server has against the token."""
    channel = credentials.channel
    host = f"host={_sound('host', channel.host)}\x01" if channel.host else ""
    port = f"port={channel.port}\x01" if channel.port else ""
    pairs = f"\x01{host}{port}auth=Bearer {_own_token(credentials)}\x01\x01"
    # RFC 7628 §3.2.3: an error message is answered with one octet 01, and then comes the failure.
    yield from _shown(header("n", _own_name(credentials)) + pairs.encode(), SEPARATOR)


def xoauth2_client(credentials: Credentials) -> Steps:
    """The client's side of XOAUTH2; ``read_refusal`` reads what the server has against the token."""
    message = f"user={_own_name(credentials)}\x01auth=Bearer {_own_token(credentials)}\x01\x01"
    yield from _shown(message.encode(), b"")


def _shown(message: bytes, dummy: bytes) -> Steps:
    """Send *message*; answer an error message with *dummy*, after which only failure may come."""
    if (yield message) is not None:
        yield dummy
        raise ExchangeError("the server reported success after an error")


def _own_name(credentials: Credentials) -> str:
    return _sound("user name", prepared_or_raw(credentials.authzid or credentials.username))


def _own_token(credentials: Credentials) -> str:
    token = credentials.token() if callable(credentials.token) else credentials.token
    if not token:
        raise ExchangeError("expected a bearer token, got none")
    if not _is_token(token):
        raise ExchangeError("expected a bearer token of printable characters without spaces")
    return token


def _sound(what: str, text: str) -> str:
    """Refuse what would become more than one value of the message."""
    if not text.isprintable():
        raise ExchangeError(f"{what}: expected printable characters")
    return text


OAUTHBEARER = Mechanism("OAUTHBEARER", oauthbearer, oauthbearer_client, Properties.PLAINTEXT, Inspect, vouched=True)
XOAUTH2 = Mechanism("XOAUTH2", xoauth2, xoauth2_client, Properties.PLAINTEXT, Inspect, vouched=True)
