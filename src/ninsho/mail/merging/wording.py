"""The words of ``compose`` as templates: compiled once, and filled with the values of a row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any, Final, Protocol, cast

from ninsho.mail.charsets.detection import decoded
from ninsho.mail.composing.attached import attached
from ninsho.mail.composing.words import Unsubscribe, Words
from ninsho.mail.merging.files import FileFilling
from ninsho.mail.merging.filling import Filling, Values
from ninsho.mail.merging.mailboxes import Compiled, MailboxFilling, mailbox_fillings
from ninsho.mail.merging.templates import Expression, Template
from ninsho.mail.merging.values import Field, Raw

PEOPLE: Final = ("from_", "sender", "reply_to", "to", "cc", "bcc")
# Stands for people and URLs that are values, while the message is composed with marks.
_SOMEBODY: Final = "somebody@example.invalid"
_SOMEWHERE: Final = "https://example.invalid/"


class Reader(Protocol):
    """Compiles the template of a *place*."""

    def __call__(self, text: str, place: str, *, html: bool = False) -> Template:
        """Return it; raise ``Unsendable`` where it is none."""
        ...


class Wording:
    """All words of a message; ``read`` compiles a template, ``expressions`` are what the values of a row come from."""

    def __init__(self, words: Words, read: "Reader") -> None:
        self._read = read
        self.expressions: list[Expression] = []
        # Where each of them stands first.
        self.places: list[str] = []
        self._numbers: dict[Expression, int] = {}
        # Gone through more than once, whatever they are.
        self._words: dict[str, Any] = {
            place: list(given) if isinstance(given, Iterator) else given for place, given in words.items()
        }
        self.people = {place: self._mailboxes(place) for place in PEOPLE if self._words.get(place)}
        self.texts = {
            place: self._text(place) for place in ("subject", "text", "html") if self._words.get(place) is not None
        }
        self._headers = self._compiled_headers()
        self._files = self._compiled_files()
        self.unsubscribe = self._compiled_unsubscribe()

    @property
    def names(self) -> list[str]:
        """How the templates have each expression."""
        return [getattr(one, "written", "the template") for one in self.expressions]

    def tell(self, place: str, given: str, read: Compiled) -> None:
        """Say whom a message names, where nothing was said before."""
        self._words[place] = given
        self.people[place] = mailbox_fillings(given, place, read, self._numbered)

    def changing(self) -> dict[str, list[MailboxFilling]]:
        """Return those address words that have values."""
        return {
            place: fillings
            for place, fillings in self.people.items()
            if any(one.address.places or (one.name and one.name.places) for one in fillings)
        }

    def filled(self, values: Values, *, marked: bool = False) -> Words:
        """Return all words with *values*; with marks for them, *marked*, people that are values are somebody."""
        words: dict[str, Any] = dict(self._words)
        changing = self.changing()
        for place, fillings in self.people.items():
            if marked and place in changing:
                words[place] = _SOMEBODY
            else:
                words[place] = [one.filled(values, self.names) for one in fillings]
        for place, filling in self.texts.items():
            words[place] = self._said(place, filling, values)
        if self._headers:
            words["headers"] = {
                name: [one.line(values, self.names, name) for one in fillings]
                for name, fillings in self._headers.items()
            }
        if self._files:
            # What a mark would name is no file.
            files = [one for one in self._files if not (marked and one.changes)]
            words["attach"] = [one.filled(values, self.names) for one in files]
        if self.unsubscribe:
            words["unsubscribe"] = self._way_out(values, marked=marked)
        return cast("Words", words)

    def _said(self, place: str, filling: Filling, values: Values) -> str:
        match place:
            case "subject":
                return filling.line(values, self.names, place)
            case "html":
                return filling.text([value if isinstance(value, Raw) else escape(value) for value in values])
            case _:
                return filling.text(values)

    def _way_out(self, values: Values, *, marked: bool) -> Unsubscribe:
        lines = [
            _SOMEWHERE if marked and _is_whole(way) else way.line(values, self.names, "unsubscribe") if way else None
            for way in self.unsubscribe
        ]
        return Unsubscribe(*lines)

    @property
    def leaves_anyhow(self) -> bool:
        """Whether it is a value that says how to leave the list: all of it."""
        return any(map(_is_whole, self.unsubscribe))

    @property
    def files_change(self) -> bool:
        """Whether each row has files of its own."""
        return any(one.changes for one in self._files)

    def _numbered(self, template: Template) -> Filling:
        pieces = [piece if isinstance(piece, str) else self._number(piece, template.place) for piece in template.pieces]
        return Filling(pieces)

    def _number(self, expression: Expression, place: str) -> int:
        if expression not in self._numbers:
            self._numbers[expression] = len(self.expressions)
            self.expressions.append(expression)
            self.places.append(place)
        return self._numbers[expression]

    def _mailboxes(self, place: str) -> list[MailboxFilling]:
        return mailbox_fillings(self._words[place], place, self._read, self._numbered)

    def _text(self, place: str) -> Filling:
        given = self._words[place]
        if isinstance(given, bytes):
            given = decoded(given, declared=self._words.get("source_charset"))
        if not isinstance(given, str):
            raise TypeError(f"{place}: expected text, got {type(given).__name__}")
        template = self._read(given.removeprefix("\ufeff"), place, html=place == "html")
        pieces = list(template.pieces)
        if place != "subject" and pieces and not isinstance(pieces[-1], str):
            # The last line is ended anyway: so it does not matter whether the value does that.
            pieces.append("\n")
        return self._numbered(replace(template, pieces=pieces))

    def _compiled_headers(self) -> dict[str, list[Filling]]:
        given: Mapping[str, str | Sequence[str]] = self._words.get("headers") or {}
        return {
            name: [
                self._numbered(self._read(value, f"headers: {name}"))
                for value in ([values] if isinstance(values, str) else values)
            ]
            for name, values in given.items()
        }

    def _compiled_files(self) -> list[FileFilling]:
        """Compile the paths that are text; those of ``pathlib`` are what they are."""
        given = self._words.get("attach")
        return [
            FileFilling(one, self._numbered(self._read(one.path, "attach")) if isinstance(one.path, str) else None)
            # A message without a header is not true, and a file for all that.
            for one in attached(() if given is None else given)
        ]

    def _compiled_unsubscribe(self) -> tuple[Filling | None, ...]:
        given: Unsubscribe | str | None = self._words.get("unsubscribe")
        if given is None:
            return ()
        if isinstance(given, str):
            is_mail = not given.lower().startswith(("https:", "http:", "{", "%"))
            given = Unsubscribe(mailto=given) if is_mail else Unsubscribe(url=given)
        return self._way(given.url), self._way(given.mailto)

    def _way(self, given: str | None) -> Filling | None:
        if given is None:
            return None
        pieces = self._read(given, "unsubscribe").pieces
        # What is part of a URL is written as such; all of it is one already.
        return self._numbered(Template("unsubscribe", [*pieces[:1], *_in_url(pieces[1:])]))


def _in_url(pieces: Iterable[Any]) -> Iterable[Any]:
    return (replace(piece, in_url=True) if isinstance(piece, Field) else piece for piece in pieces)


def _is_whole(way: Filling | None) -> bool:
    return way is not None and bool(way.pieces) and isinstance(way.pieces[0], int)
