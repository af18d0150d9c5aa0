"""The options of ``ninsho send`` that say how a message is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.mail.charsets.encoding import Unencodable
from ninsho.mail.composing.words import AutoSubmitted, Charsets, Kana, Priority, Unsubscribe, Words


@Parameter(name="*")
@dataclass(frozen=True)
class WritingOptions:
    """How a message is written that is made of options."""

    charset: str = "utf-8"
    """The charset of all of it, such as iso-2022-jp."""
    header_charset: str | None = None
    """The charset of its header, if it is another."""
    unencodable: Unencodable = "error"
    """What becomes of characters that the charset lacks: error, replace, or all of the text in utf-8."""
    kana: Kana = "auto"
    """Half-width kana: keep them, or make them full; auto makes them full in iso-2022-jp."""
    wrap: int | None = None
    """Break lines of the text that are wider than this many columns, as Japanese typesetting does."""
    flowed: bool = False
    """Let readers break the lines (format=flowed)."""
    images: Path | None = None
    """Send along the images that the HTML shows, from this folder."""
    inline_css: bool = False
    """Move the HTML's styles to the elements that they are for."""
    calendar: Path | None = None
    """An invitation: a file of iCalendar, with its METHOD."""
    priority: Priority | None = None
    """How much it matters: high, normal, low."""
    unsubscribe: tuple[str, ...] = ()
    """How to leave the list: an https URL, an address, or both, by saying it twice."""
    auto_submitted: AutoSubmitted | None = None
    """Say that no person wrote it, so that no machine answers."""
    in_reply_to: str | None = None
    """The Message-ID that it answers."""
    decoration: Annotated[str | None, Parameter(negative=())] = None
    """Make it a decoration mail for a carrier: docomo, au, softbank; auto goes by the recipient."""

    @property
    def given(self) -> bool:
        """Whether anything of it was given."""
        return self != WritingOptions()

    def words(self) -> Words:
        """Return it in the words of ``compose``."""
        header = self.charset if self.header_charset is None else self.header_charset
        return Words(
            charset=Charsets(header=header, body=self.charset, names=header),
            unencodable=self.unencodable,
            kana=self.kana,
            wrap=self.wrap,
            flowed=self.flowed,
            images=self.images,
            inline_css=self.inline_css,
            calendar=self.calendar,
            priority=self.priority,
            unsubscribe=_unsubscribe(self.unsubscribe),
            auto_submitted=self.auto_submitted,
            in_reply_to=self.in_reply_to,
            decoration=self.decoration == "auto" or self.decoration or False,
        )


def _unsubscribe(ways: tuple[str, ...]) -> Unsubscribe | None:
    urls = [way for way in ways if way.lower().startswith(("http:", "https:"))]
    addresses = [way for way in ways if way not in urls]
    if len(urls) > 1 or len(addresses) > 1:
        raise WrongUsage("--unsubscribe: expected one URL and one address at most, got more")
    return Unsubscribe(next(iter(urls), None), next(iter(addresses), None)) if ways else None
