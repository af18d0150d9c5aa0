"""``merge``: the data are the recipients; each row becomes a message of its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from secrets import token_hex
from typing import TYPE_CHECKING, Final, TypeVar, get_args

from ninsho.mail.at_hand import AtHand
from ninsho.mail.composing.header import date
from ninsho.mail.composing.letter import Letter
from ninsho.mail.merging.draft import Merged, Refused, of_row
from ninsho.mail.merging.envelopes import Envelopes, Verp
from ninsho.mail.merging.jinja import jinja
from ninsho.mail.merging.mold import Mold
from ninsho.mail.merging.rows import Row, address_template, columns, rows
from ninsho.mail.merging.templates import BRACES_OTHERWISE, Expression, Fields, Template, braces, percents
from ninsho.mail.merging.values import Columns, Field, Gaps, Missing
from ninsho.mail.merging.wording import Wording
from ninsho.mail.message import Submission
from ninsho.mail.options import NO_OPTIONS, Options
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from typing import Unpack

    from ninsho.mail.composing.words import Words
    from ninsho.mail.signing.signer import Signer

_Word = TypeVar("_Word", bound=str)
_NO_COLUMN: Final = "\n"
_SECOND: Final = timedelta(seconds=1)


def merge(  # noqa: PLR0913 - by keyword only
    recipients: Iterable[object],
    /,
    *,
    fields: Fields = "braces",
    defaults: Mapping[str, object] | None = None,
    missing: Missing | None = None,
    verp: Verp = False,
    sign: "Sequence[Signer]" = (),
    options: Options = NO_OPTIONS,
    **words: "Unpack[Words]",
) -> Iterator[Submission]:
    """Return a message for each of *recipients*, one at a time, for ``Client.send_many``.

    *recipients* are rows with named columns: dicts, dataclasses, named tuples, rows of SQLAlchemy, objects, addresses.
    The words are those of ``compose``; each text among them is a template, as ``Merge`` says. Raises as ``Merge`` does,
    and ``TypeError`` for what are no rows, at once, and ``Unsendable`` at the first row where no row has what a
    template names. What is wrong with a later row is said by its receipt, and stops nothing. Rows of a list, of
    ``open_csv``, or ``AtHand`` go faster than those of other iterables, which may make a client wait.
    """
    many = Merge(fields=fields, defaults=defaults, missing=missing, verp=verp, sign=sign, options=options, **words)
    messages = map(many.submission, rows(recipients))
    return AtHand(messages) if isinstance(recipients, Sequence | AtHand) else messages


class Merge:
    """A template for many messages.

    These words may have fields: from_, to, cc, bcc, reply_to, sender, subject, text, html, unsubscribe, the values of
    headers, and the paths of attach that are text: such a file must be in the folder before the first field. With
    *fields* ``braces`` they are written ``{name}``, ``{price:,}``, ``{id!u}``; with ``percent`` ``%name%``; with
    ``jinja`` each is a template of Jinja2's, in its sandbox. Values are escaped in HTML, and have one line in header
    fields. *to* is, unless told, the row's column with an address, such as email, mail or メールアドレス
    (``ADDRESS_COLUMNS``), with the column name if it has one.

    *defaults* stand for values that are None or empty. *missing* says what stands for a value that is None, or not
    there: ``error`` refuses the row, ``empty`` nothing, ``keep`` the field as the template has it, which is what
    ``percent`` does unless told.

    *verp* makes an envelope sender for each recipient (``bounces+alice=example.org@news.example``): of the address
    that is told, of the sender's where it is True; or it is a function that takes a row.
    Raises ``TypeError`` for unknown words, ``Unsendable`` for what no message can have.
    """

    def __init__(  # noqa: PLR0913 - by keyword only
        self,
        *,
        fields: Fields = "braces",
        defaults: Mapping[str, object] | None = None,
        missing: Missing | None = None,
        verp: Verp = False,
        sign: "Sequence[Signer]" = (),
        options: Options = NO_OPTIONS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        **words: "Unpack[Words]",
    ) -> None:
        self._fields = _one_of(fields, get_args(Fields), "fields")
        usual: Missing = "keep" if fields == "percent" else "error"
        self._gaps = Gaps(dict(defaults or {}), _one_of(missing or usual, get_args(Missing), "missing"))
        if words.get("message_id") is not None:
            raise Unsendable("message_id: expected none, as each message of a merge has its own, got one")
        # Unknown words are told at once, though the rest may have to wait for the first row.
        Letter.told(words)
        self._wording = Wording(words, self._template)
        self._sign, self._options, self._verp, self._clock = sign, options, verp, clock
        self._told_date = words.get("date")
        # Several threads may ask at once.
        self._run, self._next = token_hex(8), count(1).__next__
        self._since = self._until = datetime.max.replace(tzinfo=UTC)
        self._date = ""
        self._known = False
        if "to" in words:
            self._ready()

    def submission(self, row: object) -> Submission:
        """Return the message of a row; raise ``TypeError`` where it is none, ``Unsendable`` where no row will do."""
        number = self._next()
        found = columns(row)
        if not self._known:
            self._meet(found)
        place: str | int = number
        if isinstance(row, Row):
            place = row.place
            if row.fault is not None:
                return self._refused(row.fault, found)
        try:
            # Taken out of the row now: whoever gives rows may use the same object for all of them.
            values = self._values(found)
            sender, recipients, domain = self._envelopes.of(values, row)
        except Unsendable as error:
            return self._refused(of_row(error, place), found)
        values += (f"<{self._run}.{number}@{domain}>", self._now())
        return Submission(Merged(self._mold, tuple(values), place), sender, recipients, self._options)

    def _refused(self, error: Unsendable, found: Columns) -> Submission:
        return Submission(Refused(error), "", self._whom(found), self._options)

    def _ready(self) -> None:
        self._mold = Mold(self._wording, self._sign)
        self._envelopes = Envelopes(self._wording, self._verp)
        self._expressions = [(expression.column or _NO_COLUMN, expression) for expression in self._wording.expressions]

    def _values(self, found: Columns) -> list[str]:
        get, gaps = found.get, self._gaps
        # Most are text, and go as they are: 0.1 µs each, where the expression takes 0.5.
        return [
            value if type(value := get(column)) is str and value else expression.value(found, gaps)
            for column, expression in self._expressions
        ]

    def _meet(self, found: Columns) -> None:
        """Look at the first row: what no row has is a mistake in the template."""
        if "to" not in self._wording.people:
            self._address_by(found)
            self._ready()
        if self._gaps.missing == "error":
            self._refuse_unknown(found)
        self._known = True

    def _refuse_unknown(self, found: Columns) -> None:
        for expression, place in zip(self._wording.expressions, self._wording.places, strict=True):
            for name in expression.names:
                if name not in found and name not in self._gaps.defaults:
                    line, hint = self._where(expression)
                    raise Unsendable(
                        f"{place}: {line}expected a field that names a column, got {excerpt(name)}: the columns are "
                        f"{_listed(found)}; where only some rows have it, give it in defaults{hint}"
                    )

    def _where(self, expression: Expression) -> tuple[str, str]:
        """Return the line of a field, and what may help where it looks like a style of CSS."""
        if not isinstance(expression, Field):
            return "", ""
        is_style = self._fields == "braces" and expression.spec
        return f"line {expression.line}: ", f"; {BRACES_OTHERWISE}" if is_style else ""

    def _address_by(self, found: Columns) -> None:
        template = address_template(found)
        if template is None:
            raise Unsendable(
                f"expected the word to, or a column such as email, mail or メールアドレス, got {_listed(found)}"
            )
        self._wording.tell("to", template, _with_name_or_not)

    def _whom(self, found: Columns) -> tuple[str, ...]:
        """Return whom a row is for that has something wrong, as far as it tells."""
        values = [_if_any(expression, found, self._gaps) for expression in self._wording.expressions]
        try:
            return self._envelopes.of(values, found)[1]
        except Unsendable:
            return ()

    def _now(self) -> str:
        """Return the Date, which is made once a second."""
        now = self._clock()
        if not self._since <= now < self._until:
            self._since = now.replace(microsecond=0)
            self._until = self._since + _SECOND
            self._date = date(now.astimezone()) if self._told_date is None else date(self._told_date)
        return self._date

    def _template(self, text: str, place: str, *, html: bool = False) -> Template:
        match self._fields:
            case "braces":
                return braces(text, place)
            case "percent":
                return percents(text, place)
            case _:
                return jinja(text, place, missing=self._gaps.missing, html=html)


def _with_name_or_not(text: str, place: str) -> Template:
    """Read whom a row is for where nobody says it: a row without a name has an address still."""
    template = braces(text, place)
    pieces = [replace(one, optional=True) if isinstance(one, Field) else one for one in template.pieces[:-2]]
    return replace(template, pieces=[*pieces, *template.pieces[-2:]])


def _if_any(expression: Expression, found: Columns, gaps: Gaps) -> str:
    try:
        return expression.value(found, gaps)
    except Unsendable:
        return ""


def _one_of(word: _Word, known: tuple[_Word, ...], place: str) -> _Word:
    if word not in known:
        raise Unsendable(f"{place}: expected one of {', '.join(map(str, known))}, got {excerpt(word)}")
    return word


def _listed(found: Columns) -> str:
    return ", ".join(map(str, found)) or "none"
