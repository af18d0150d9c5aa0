"""Bounces in words: how servers begin, whom they name, what they say of each; read line by line."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ninsho.mail.bounce.report import Action, Report
from ninsho.mail.bounce.status import status_of


class Wording(NamedTuple):
    """What a kind of server writes in front of the recipients that it is about."""

    form: str
    opening: re.Pattern[str]


def _wording(form: str, *openings: str) -> Wording:
    return Wording(form, re.compile("|".join(openings), re.IGNORECASE))


# The first that is found counts: those with names of their own before those that many share.
WORDINGS: Final = (
    _wording("qmail", r"^Hi\. This is the ", r"This is the qmail-send program"),
    _wording("postfix", r"This is the (?:Postfix program|mail system) at host"),
    _wording("exim", r"This message was created automatically by mail delivery software"),
    _wording("gmail", r"Delivery to the following recipients? (?:failed|has been delayed)"),
    _wording("yahoo", r"Unable to deliver message to the following address"),
    _wording(
        "sendmail",
        r"The following address(?:es)? had (?:permanent fatal|transient non-fatal|delivery) (?:errors|problems)",
        r"-{3,} ?Transcript of session follows",
    ),
    _wording(
        "exchange",
        r"did not reach (?:some or all of the intended recipients|the following recipient)",
        r"Delivery has failed to these recipients",
        r"(?:次の|以下の)受信者[^。\n]{0,20}(?:配信|到達|届)",
        r"受信者(?:の一部|全員|の一部または全員)[^。\n]{0,20}(?:配信|到達|届)",
        r"配信不能",
    ),
    _wording(
        "au",
        r"Each of the following recipients was rejected",
        r"The user\(s\) account is",
        r"The following recipients did not receive this message",
        r"Your message was not delivered within",
        r"(?:The|This) message was (?:not delivered to|undeliverable due to)",
    ),
    _wording(
        "other",
        r"could ?n(?:o|')t (?:be delivered|deliver)",
        r"cannot be delivered",
        r"undeliverable",
        r"unable to deliver",
        r"delivery (?:to [^\n]{0,80})?(?:has )?failed",
        r"delivery (?:error|failure|problem)",
        r"failed (?:recipient|to deliver)",
        r"returned (?:mail|to you|to sender)",
        r"(?:配信|配送|送信|送達|配達|お届け|届ける?)[^。\n]{0,12}(?:でき|出来|失敗|不能|ません)",
        r"(?:宛先|あて先)(?:が|は)?(?:不明|見つかりません|存在しません)",
    ),
)
_DELAYED: Final = re.compile(
    r"THIS IS A WARNING|transient non-fatal|has (?:been delayed|not (?:yet )?been delivered|been queued)|"
    r"will (?:continue to be|be) (?:tried|retried|attempted)|You do not need to resend|delivery is delayed|"
    r"遅延して|再送を(?:続|試)",
    re.IGNORECASE,
)
_GIVEN_UP: Final = re.compile(r"permanent|given up|giving up|failed permanently|fatal errors", re.IGNORECASE)
_ADDRESS: Final = (
    r"(?:\"(?:[^\"\\\n]|\\.){1,64}\"|[^\s<>()\[\]:;,\"'|]{1,128})@(?:[^\s<>()\[\]:;,\"'|]{1,255}|\[[^\s\]]{1,80}\])"
)
_ENTRY: Final = re.compile(
    rf"""[ \t>*-]{{0,16}}
    (?: (?:Recipient(?:\ address)?|To|受取人|受信者|宛先|あて先|メールアドレス)\s{{0,4}}[::]\s{{0,4}} | SMTP: )?
    (?: <(?P<angle>{_ADDRESS})> | (?P<bare>{_ADDRESS}) )
    (?P<rest> [ \t]*\Z | [ \t]*[:;,].* | [ \t]+(?:on|\(|\#|-|\[|[0-9]{{1,4}}[/年.-]).* )""",
    re.VERBOSE | re.IGNORECASE,
)
_EXPANDED: Final = re.compile(
    r"\((?:expanded from:?|generated from|ultimately generated from)\s+<?([^\s<>()]+@[^\s<>()]+?)>?\)"
)
_REMOTE: Final = re.compile(
    r"\b(?:host|talking to|connect(?:ed)? to|Remote host|remote server)[: ]\s*([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)",
    re.IGNORECASE,
)
_TRANSCRIPT: Final = re.compile(r"while talking to ([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)")
_CODE: Final = re.compile(r"(?<![0-9.])[45](?:[0-9]{2}(?![0-9.])|\.[0-9]{1,3}\.[0-9]{1,3})")
_FORMALITY: Final = re.compile(r"-{3,}|Technical details|This is (?:a permanent|an automatically)|\(reason: *\)")
_LABEL: Final = re.compile(r"(?:Reason|理由|原因)\s*[::]\s*(.*)|\(reason: *(.*)\)", re.IGNORECASE)
DIAGNOSIS_LIMIT = 2000  # characters


@dataclass(slots=True)
class _Entry:
    """A recipient, and the lines that stand below it, an empty one where a paragraph ended."""

    recipient: str
    lines: list[str] = field(default_factory=list)
    size: int = 0


def in_words(text: str, named: Iterable[str], addressed: Iterable[str]) -> tuple[str, tuple[Report, ...]]:
    """Read what a server says; return the form and the reports, none where it is no bounce.

    *named* are recipients that the header tells of; *addressed* those that the original was for, which are taken where
    the text names nobody.
    """
    wording, start = _recognised(text)
    if wording is None:
        return "", ()
    entries = {each.recipient.lower(): each for each in _entries(text[start:])}
    for address in named or (() if entries else _only(addressed)):
        entries.setdefault(address.lower(), _Entry(address))
    action: Action = "delayed" if _DELAYED.search(text) and not _GIVEN_UP.search(text) else "failed"
    said = _Said(text, start)
    return wording.form, tuple(_report(entry, action, said) for entry in entries.values())


def _only(addressed: Iterable[str]) -> list[str]:
    found = list(addressed)
    return found if len(found) == 1 else []


def _recognised(text: str) -> tuple[Wording | None, int]:
    """Return whose wording it is, and where the line behind the opening begins."""
    for wording in WORDINGS:
        if found := wording.opening.search(text):
            # Some name the recipient in the opening itself.
            return wording, text.rfind("\n", 0, found.start()) + 1
    return None, 0


def _entries(text: str) -> Iterator[_Entry]:
    entry: _Entry | None = None
    seen: set[str] = set()
    for line in text.split("\n"):
        found = _ENTRY.fullmatch(line.rstrip()) if "@" in line and len(line) < 1000 else None
        address = (found["angle"] or found["bare"]).rstrip(".") if found else ""
        # Below an entry its address stands once more, where the other server's words begin with it.
        if found and address.lower() not in seen and not found["rest"].lstrip().startswith(".."):
            if entry:
                yield entry
            seen.add(address.lower())
            entry = _Entry(address, [found["rest"].lstrip(" \t:;,")])
        elif entry and entry.size < DIAGNOSIS_LIMIT:
            entry.lines.append(line.strip())
            entry.size += len(line)
    if entry:
        yield entry


class _Said:
    """What the whole text says, for recipients of whom nothing stands below them."""

    def __init__(self, text: str, start: int) -> None:
        lines = [line.strip() for line in text.split("\n")]
        self._replies = [line.removeprefix("<<< ") for line in lines if _CODE.match(line.removeprefix("<<< "))]
        # The opening of some is the reason itself.
        self._opening = text[start:].lstrip().partition("\n")[0].strip()
        self.remote = found[1] if (found := _TRANSCRIPT.search(text)) else ""

    def about(self, recipient: str) -> str:
        """Return the reply that names *recipient*, else any, else the opening."""
        mine = (line for line in self._replies if recipient.lower() in line.lower())
        return next(mine, next(iter(self._replies), self._opening))


def _report(entry: _Entry, action: Action, said: _Said) -> Report:
    text = " ".join(_diagnosis(entry))
    expanded = _EXPANDED.search(text)
    diagnosis = _EXPANDED.sub("", text).strip(" :") or said.about(entry.recipient)
    diagnosis = diagnosis[:DIAGNOSIS_LIMIT]
    remote = _REMOTE.search(diagnosis)
    return Report(
        recipient=entry.recipient,
        original_recipient=expanded[1] if expanded else "",
        action=action,
        status=status_of("", diagnosis, failed=action == "failed"),
        diagnosis=diagnosis,
        remote_mta=remote[1] if remote else said.remote,
    )


def _diagnosis(entry: _Entry) -> Iterator[str]:
    """Give the first paragraph that says something, and those behind it that have a code."""
    said = False
    for paragraph in _paragraphs(entry.lines):
        lines = [_unlabelled(line) for line in paragraph if not _FORMALITY.match(line)]
        words = " ".join(line for line in lines if line)
        if words and (not said or _CODE.search(words)):
            said = True
            yield words


def _unlabelled(line: str) -> str:
    found = _LABEL.fullmatch(line)
    return (found[1] or found[2] or "") if found else line


def _paragraphs(lines: Iterable[str]) -> Iterator[list[str]]:
    paragraph: list[str] = []
    for line in lines:
        if line:
            paragraph.append(line)
        elif paragraph:
            yield paragraph
            paragraph = []
    yield paragraph
