"""Templates in the syntax of Jinja2, in its sandbox: the text of a whole word is one expression."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ninsho.mail.merging.templates import Piece, Template, line_of
from ninsho.mail.merging.values import Columns, Field, Gaps, Missing, Raw
from ninsho.mail.unsendable import Unsendable

if TYPE_CHECKING:
    import jinja2

_CONSTRUCT = re.compile(r"\{[{%#]|[}%#]\}")
# What Jinja knows by itself is no column.
_KNOWN = "range|dict|lipsum|cycler|joiner|namespace|[tT]rue|[fF]alse|[nN]one|self|loop|super|caller|not"
_NAME = re.compile(rf"\{{\{{ *((?!(?:{_KNOWN})\b)[A-Za-z_]\w*) *\}}\}}")


@dataclass(frozen=True, slots=True, eq=False)
class JinjaText:
    """A template of Jinja2's; its text is HTML, with values escaped, where *html* says so."""

    template: "jinja2.Template"
    html: bool
    # Which it needs only it can tell, as it is rendered: "if" and "default" make do without.
    names: frozenset[str] = frozenset()
    column: None = None

    def value(self, columns: Columns, gaps: Gaps) -> str:
        """Return the text for one row; raise ``Unsendable``."""
        named = {name: value for name, value in columns.items() if value is not None}
        named.update((name, value) for name, value in gaps.defaults.items() if named.get(name, "") == "")
        try:
            text = self.template.render(named)
        except Exception as error:  # a template may raise whatever its filters raise
            raise Unsendable(f"expected a value for each name, got {type(error).__name__}: {error}") from error
        return Raw(text) if self.html else text


def jinja(text: str, place: str, *, missing: Missing, html: bool) -> Template:
    """Read a template of Jinja2's; raise ``Unsendable`` where it is none, or Jinja2 is not installed."""
    environment = _environment(missing, html=html)
    if not _CONSTRUCT.search(_NAME.sub("", text)):
        return Template(place, tuple(_fields(text)))
    try:
        return Template(place, (_read(environment, text, html=html),))
    except Exception as error:  # its errors have no place without the package
        raise Unsendable(f"{place}: expected a template of Jinja2, got {type(error).__name__}: {error}") from error


def _fields(text: str) -> Iterator[Piece]:
    """Read a template that names columns and nothing else: a hundredth of the time that it takes as a template."""
    end = 0
    for found in _NAME.finditer(text):
        yield from [text[end : found.start()]] if found.start() > end else []
        yield Field(found[1], found[0], line=line_of(found))
        end = found.end()
    yield from [text[end:]] if end < len(text) else []


def _read(environment: "jinja2.Environment", text: str, *, html: bool) -> JinjaText:
    return JinjaText(environment.from_string(text), html)


@lru_cache(maxsize=8)
def _environment(missing: Missing, *, html: bool) -> "jinja2.Environment":
    try:
        import jinja2  # noqa: PLC0415 - an extra
        from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415
    except ImportError as error:
        raise Unsendable("templates of Jinja2 need the package jinja2: pip install 'ninsho[templates]'") from error
    undefined: dict[Missing, type[Any]] = {
        "error": jinja2.StrictUndefined,
        "empty": jinja2.Undefined,
        "keep": jinja2.DebugUndefined,
    }
    return ImmutableSandboxedEnvironment(
        undefined=undefined[missing], autoescape=html, keep_trailing_newline=True, newline_sequence="\n"
    )
