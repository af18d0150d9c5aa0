"""The fields of a delivery status (RFC 3464 §2): a block about the message, and one for each recipient."""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from ninsho.mail.bounce.report import Action, Report
from ninsho.mail.bounce.status import status_of
from ninsho.mail.reading.header import read_header
from ninsho.mail.reading.transfer import undone
from ninsho.mail.reading.tree import Part
from ninsho.mail.reading.words import raw_text, words_decoded

Block: TypeAlias = list[tuple[str, str]]
"""Fields, their names in lower case."""

STATUS_TYPES: Final = frozenset(("message/delivery-status", "message/global-delivery-status"))
_EMPTY: Final = re.compile(rb"(?:\r?\n[ \t]*+)(?=\r?\n)")
_ACTIONS: Final[dict[str, Action]] = {
    "fail": "failed",
    "delay": "delayed",
    "deliver": "delivered",
    "relay": "relayed",
    "expan": "expanded",
}
_COMMENT: Final = re.compile(r"\([^()]*+\)")
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")  # RFC 3461 §4
_UNITEXT: Final = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")  # RFC 6533 §3
_HIGHEST = 0x10FFFF


def blocks(part: Part) -> Iterator[bytes]:
    """Give each block of fields."""
    octets = undone(part.body, part.encoding, text=True).octets
    return (block.strip(b"\r\n") for block in _EMPTY.split(octets) if block.strip())


def block_of(block: bytes) -> Block:
    """Read the fields of one block."""
    return [(name.lower(), words_decoded(raw_text(value, "utf-8"))) for name, value in read_header(block).fields]


def report_of(block: Block) -> Report | None:
    """Read what a block says of a recipient; None where it is not about one."""
    fields = dict(reversed(block))
    final = _address(fields.get("final-recipient", ""))
    original = _address(fields.get("original-recipient", ""))
    # Some leave in what ORCPT was encoded by; a plus sign may as well be the recipient's own.
    if "+" in original and _plain(original).lower() == final.lower():
        original = _plain(original)
    recipient = final or original
    if not recipient:
        return None
    diagnosis = _typed(fields.get("diagnostic-code", ""))
    action = _action(fields)
    return Report(
        recipient=recipient,
        original_recipient=original if original != recipient else "",
        action=action,
        status=_status(fields, diagnosis, action),
        diagnosis=" ".join(diagnosis.split()),
        remote_mta=_host(fields.get("remote-mta", "")),
    )


def host_of(block: Block, name: str) -> str:
    """Return the host that a field such as ``Reporting-MTA: dns; mx.example.org`` names; empty where there is none."""
    return _host(dict(reversed(block)).get(name, ""))


def _status(fields: dict[str, str], diagnosis: str, action: Action) -> str:
    told = fields.get("status", "")
    if action in ("failed", "delayed"):
        return status_of(told, diagnosis, failed=action == "failed")
    return _COMMENT.sub("", told).strip()


def _action(fields: dict[str, str]) -> Action:
    told = fields.get("action", "").strip().lower()
    found = next((action for beginning, action in _ACTIONS.items() if told.startswith(beginning)), None)
    if found:
        return found
    # RFC 3464 §2.3.4: the first digit says it as well.
    kinds: dict[str, Action] = {"2": "delivered", "4": "delayed"}
    return kinds.get(fields.get("status", "").strip()[:1], "failed")


def _address(value: str) -> str:
    kind, semicolon, address = value.partition(";")
    if not semicolon:
        kind, address = "", value
    # RFC 6533 §3: what is not ASCII may be escaped, where the report itself had to be ASCII.
    if kind.strip().lower() == "utf-8":
        address = _UNITEXT.sub(_character, address)
    found = address.strip()
    inside = found.rpartition("<")[2].partition(">")[0] if found.endswith(">") else found
    return inside.strip() if inside.strip().lower() not in ("unknown", "") else ""


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= _HIGHEST and not 0xD800 <= number < 0xE000 else found[0]


def _plain(text: str) -> str:
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)


def _typed(value: str) -> str:
    """Take the type away that stands in front: ``smtp; 550 no``."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and len(kind.split()) == 1 else value.strip()


def _host(value: str) -> str:
    return _COMMENT.sub("", _typed(value)).strip()
