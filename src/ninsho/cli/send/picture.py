"""A message as a mail reader shows it, in one page of HTML that fetches nothing."""

from base64 import b64encode
from collections.abc import Iterator
from html import escape
from urllib.parse import unquote

from ninsho.mail.html.markup import pieces
from ninsho.mail.html.references import references
from ninsho.mail.reading import Attached, Mail

# What is within a message is somebody else's: it may show itself, run nothing, and load nothing from anywhere.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
_PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}; frame-src 'self'">
<title>{subject}</title><style>
body {{ font-family: sans-serif; max-width: 60em; margin: 1em auto; padding: 0 1em }}
h1 {{ font-size: 1.3em }} th {{ text-align: right; padding-right: .8em; color: #666; vertical-align: top }}
iframe {{ width: 100%; height: 40em; border: 1px solid #ccc }}
pre {{ white-space: pre-wrap; border: 1px solid #ccc; padding: 1em; font-family: monospace }}
</style></head><body><h1>{subject}</h1><table>{fields}</table>{bodies}{files}</body></html>
"""


def picture(mail: Mail) -> str:
    """Return the page."""
    return _PAGE.format(
        policy=_POLICY,
        subject=escape(mail.subject) or "(no subject)",
        fields="".join(_fields(mail)),
        bodies="".join(_bodies(mail)),
        files="".join(_files(mail)),
    )


def _fields(mail: Mail) -> Iterator[str]:
    named = (("From", mail.from_), ("To", mail.to), ("Cc", mail.cc), ("Reply-To", mail.reply_to))
    shown = [(name, ", ".join(map(str, people))) for name, people in named if people]
    if mail.date is not None:
        shown.append(("Date", mail.date.strftime("%Y-%m-%d %H:%M %z")))
    for name, value in shown:
        yield f"<tr><th>{name}</th><td>{escape(value)}</td></tr>"


def _bodies(mail: Mail) -> Iterator[str]:
    if mail.html:
        framed = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">{_with_images(mail)}'
        yield f'<h2>HTML</h2><iframe sandbox srcdoc="{escape(framed)}"></iframe>'
    yield f"<h2>Text</h2><pre>{escape(mail.text)}</pre>"


def _with_images(mail: Mail) -> str:
    """Return the HTML with its images within it (RFC 2392), and without links, by which a reader may call others."""
    html = "".join(
        mail.html[piece.start : piece.end] for piece in pieces(mail.html, conditional=True) if piece.name != "link"
    )
    images = {file.content_id: file for file in reversed(mail.attachments) if file.content_id}
    written, at = [], 0
    for reference in references(html):
        if (file := images.get(_content_id(reference.url))) is not None:
            written += [html[at : reference.start], _as_url(file)]
            at = reference.end
    return "".join([*written, html[at:]])


def _content_id(url: str) -> str:
    scheme, colon, named = url.strip(" \t\n\f\r").partition(":")
    return unquote(named) if colon and scheme.lower() == "cid" else ""


def _as_url(file: Attached) -> str:
    return f"data:{escape(file.content_type)};base64,{b64encode(file.data).decode()}"


def _files(mail: Mail) -> Iterator[str]:
    if not mail.attachments:
        return
    yield "<h2>Attachments</h2><ul>"
    for file in mail.attachments:
        yield f"<li>{escape(file.filename or '(no name)')}: {escape(file.content_type)}, {len(file.data)} octets</li>"
    yield "</ul>"
