"""Enhanced status codes (RFC 3463) found in what servers say, or made of it where they gave none."""

import re
from typing import Final

_ENHANCED: Final = re.compile(r"(?<![0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")
_REPLY: Final = re.compile(r"(?<![0-9.])([45])[0-9]{2}(?:[ -]|\Z)")
# What says no more than that it failed.
_VAGUE: Final = frozenset(("", "4.0.0", "5.0.0"))
# Subject and detail, by what servers say in place of them. The first that is found counts.
_WORDS: Final = tuple(
    (re.compile("|".join(words), re.IGNORECASE), detail)
    for detail, words in (
        ("2.2", ("quota", "mail ?box (?:is )?full", "over ?size", "not enough (?:space|storage)", "容量")),
        ("2.1", ("disabled", "inactive", "suspended", "temporarily limited", "no longer accepts", "利用停止")),
        (
            "1.2",
            (
                "(?:host|domain|server)(?: name)? (?:is )?(?:unknown|not found)",
                "(?:unknown|no such) (?:host|domain)|unrouteable",
                "find any host",
                "domain does not exist",
                "ドメイン[^。]{0,20}(?:存在|見つか)",
            ),
        ),
        (
            "1.1",
            (
                "(?:user|mailbox|recipient|addressee?|account|local[- ]part)(?: name)?(?: is)? (?:unknown|not found)",
                "(?:mailbox|recipient|address|account)(?: name)?(?: is)? (?:invalid|unavailable)",
                "(?:unknown|no such|invalid|bad) (?:user|mailbox|recipient|address|account|local)",
                "does(?:n't| not) (?:exist|have an?)",
                "not recognized",
                "no mailbox here",
                "(?:宛先|あて先|アドレス|ユーザー?|受信者)[^。]{0,20}(?:存在|見つか|不明|登録されて)",
            ),
        ),
        ("3.4", ("too (?:large|big)", "size limit", "大きすぎ")),
        (
            "4.7",
            ("not delivered within", "could not be delivered for", "timed? ?out", "expired", "retry time", "too long"),
        ),
        ("4.1", ("not responding", "connection refused", "connect to")),
        ("7.1", ("spam", "blocked", "blacklist", "policy", "relay", "denied", "拒否")),
    )
)


def status_of(told: str, diagnosis: str, *, failed: bool) -> str:
    """Return the most exact code: the one *told*, unless it is vague and the *diagnosis* has another."""
    code = _first(_ENHANCED, told)
    if code not in _VAGUE:
        return code
    said = _first(_ENHANCED, diagnosis)
    # A code of another class speaks of something else.
    if said not in _VAGUE and (not code or said[0] == code[0]):
        return said
    return code or _from_words(diagnosis, failed=failed)


def _from_words(diagnosis: str, *, failed: bool) -> str:
    kind = _first(_REPLY, diagnosis) or ("5" if failed else "4")
    return f"{kind}.{next((detail for words, detail in _WORDS if words.search(diagnosis)), '0.0')}"


def _first(pattern: re.Pattern[str], text: str) -> str:
    return found[1] if (found := pattern.search(text)) else ""
