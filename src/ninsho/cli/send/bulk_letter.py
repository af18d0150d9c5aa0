"""What everybody gets: the options as one template."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from ninsho.cli.endings import WrongUsage
from ninsho.cli.send.bulk_options import BulkOptions
from ninsho.cli.send.compose import author_of, field_of
from ninsho.cli.send.options import ComposeOptions, SendOptions
from ninsho.cli.send.signing import SigningOptions
from ninsho.cli.send.writing import WritingOptions
from ninsho.mail.composing.words import Words
from ninsho.mail.merging.envelopes import Verp
from ninsho.mail.merging.merge import Merge
from ninsho.mail.merging.rows import ADDRESS_COLUMNS
from ninsho.mail.merging.templates import braces, percents
from ninsho.mail.unsendable import Unsendable

_HTML = (".html", ".htm")
# Words that name files, or are their contents.
_READ = frozenset(("attach", "images", "calendar", "text", "html"))
_WRITTEN = {"braces": "{{{}}}", "percent": "%{}%", "jinja": "{{{{ {} }}}}"}


class BulkLetter:
    """The template that the options make: its ``words``, and a ``fingerprint`` of what is the same for everybody."""

    def __init__(  # noqa: PLR0913 - as many kinds of options as the command has
        self,
        composing: ComposeOptions,
        writing: WritingOptions,
        signing: SigningOptions,
        sending: SendOptions,
        bulk: BulkOptions,
        *,
        login: Callable[[], str],
    ) -> None:
        self._composing, self._sending, self._bulk = composing, sending, bulk
        self._writing, self._signing = writing, signing
        self._parts = _parts(composing, bulk)
        self.words = Words(
            from_=composing.author if composing.author is not None else author_of(login()),
            subject=composing.subject or "",
            headers=dict(map(field_of, composing.header)),
            attach=list(composing.attach),
            cc=list(composing.cc),
            bcc=list(composing.bcc),
            **writing.words(),
            **self._parts,  # type: ignore[typeddict-item]
        )
        if composing.reply_to is not None:
            self.words["reply_to"] = composing.reply_to

    def merge(self, address: str) -> Merge:
        """Return what makes messages of rows whose addresses are in the column *address*; raise ``WrongUsage``."""
        words, bulk = self.words.copy(), self._bulk
        self._expect_field(address)
        if self._composing.to:
            words["to"] = list(self._composing.to)
        elif bulk.to_column is not None or address.lower() not in ADDRESS_COLUMNS:
            # Another column may be the likelier one, unless told.
            words["to"] = _WRITTEN[bulk.fields].format(address)
        try:
            return Merge(
                fields=bulk.fields,
                defaults=dict(map(_default, bulk.default)),
                verp=self._verp(),
                sign=self._signing.signers(),
                options=self._sending.options,
                **words,
            )
        except (Unsendable, OSError) as error:
            raise WrongUsage(str(error)) from None

    @property
    def copied(self) -> list[str]:
        """Who gets a copy of every message: the recipients that no row names."""
        composing = self._composing
        return [one for one in (*composing.to, *composing.cc, *composing.bcc) if not self._has_field(one)]

    def _expect_field(self, address: str) -> None:
        to = self._composing.to
        if to and not any(map(self._has_field, to)):
            field = _WRITTEN[self._bulk.fields].format(address)
            raise WrongUsage(
                f"--to: expected a field that stands for each row's address, such as {field!r}, got {to[0]!r}: all mail"
                " would go there"
            )

    def _has_field(self, text: str) -> bool:
        if self._bulk.fields == "jinja":
            return "{{" in text or "{%" in text
        read = braces if self._bulk.fields == "braces" else percents
        return bool(read(text, "to").expressions)

    @property
    def fingerprint(self) -> str:
        """A digest of all that is the same for everybody: words, options, templates and files."""
        composing, bulk, sending = self._composing, self._bulk, self._sending
        told = {name: value for name, value in self.words.items() if name not in _READ}
        digest = sha256()
        merging = (composing.to, bulk.fields, bulk.default, bulk.verp)
        digest.update(repr((sorted(told.items()), merging, sending.sender, sending.notify, self._signing)).encode())
        for name, octets in (*self._parts.items(), *self._files()):
            digest.update(ascii(name).encode() + b"\0" + sha256(octets).digest())
        return digest.hexdigest()

    def _files(self) -> Iterator[tuple[str, bytes]]:
        """Give all files that a message may be made of, by their names."""
        for path in self._composing.attach:
            yield path.name, _read(path, "--attach")
        if (calendar := self._writing.calendar) is not None:
            yield "calendar", _read(calendar, "--calendar")
        if (images := self._writing.images) is not None:
            for path in sorted(path for path in images.rglob("*") if path.is_file()):
                yield str(path.relative_to(images)), _read(path, "--images")

    def _verp(self) -> Verp:
        if self._bulk.verp is not None:
            return self._bulk.verp
        sender = self._sending.sender
        return False if sender is None else lambda _: sender


def _parts(composing: ComposeOptions, bulk: BulkOptions) -> dict[str, bytes]:
    """Return the templates: ``text`` and ``html``."""
    given = [("text", composing.text), ("html", composing.html)]
    parts = {name: value.encode("utf-8", "surrogateescape") for name, value in given if value is not None}
    for path in bulk.template:
        name = "html" if path.suffix.lower() in _HTML else "text"
        if name in parts:
            raise WrongUsage(f"--template: expected one for the {name}, got two: {path}")
        parts[name] = _read(path, "--template")
    if not parts:
        raise WrongUsage("expected --template, --text or --html, got none")
    return parts


def _read(path: Path, option: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongUsage(f"{option}: {path}: cannot be read: {error.strerror}") from None


def _default(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not (name and equals):
        raise WrongUsage(f"--default: expected a name and a value such as name=customer, got {given!r}")
    return name, value
