"""``ninsho read``."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.cli.options import JsonOption
from ninsho.cli.read.saving import saved
from ninsho.cli.terminal import remark, say, say_json, say_table, visible
from ninsho.mail import bounce, reading
from ninsho.mail.bounce import Bounce, Complaint
from ninsho.mail.reading import Mail

STANDARD_INPUT = Path("-")


def read(  # noqa: PLR0913 - options
    file: Annotated[Path, Parameter(help="The message; - is standard input.", allow_leading_hyphen=True)],
    *,
    header: Annotated[bool, Parameter(help="Show all fields of the header.")] = False,
    html: Annotated[bool, Parameter(help="Show the HTML in place of the text.")] = False,
    save: Annotated[Path | None, Parameter(help="Write the files that came along into this folder.")] = None,
    verp: Annotated[str | None, Parameter(help="The address that --verp was told when it was sent.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Show a message decoded, and whether it is a bounce."""
    octets = _octets(file)
    mail = reading.read(octets)
    returned, complained = bounce.read(octets, sender=verp), bounce.complaint(octets)
    paths = [] if save is None else list(saved(mail.attachments, save))
    if as_json:
        say_json(_facts(mail, paths) | {"bounce": _about(returned), "complaint": complained and asdict(complained)})
        return 0
    _show(mail, paths, header=header, html=html)
    _show_reports(returned, complained)
    remark(*(f"defect: {visible(defect)}" for defect in mail.defects))
    return 0


def _octets(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()
    except OSError as error:
        raise WrongUsage(f"{file}: cannot be read: {error.strerror}") from None


def _show(mail: Mail, paths: list[Path], *, header: bool, html: bool) -> None:
    fields = mail.header if header else _usual(mail)
    say(*(visible(f"{name}: {value}") for name, value in fields), "")
    say(*(visible(line) for line in (mail.html if html else mail.text).removesuffix("\n").split("\n")))
    if mail.attachments:
        say("")
        rows = ((file.filename, file.content_type, f"{len(file.data)} octets") for file in mail.attachments)
        say_table(("FILE", "TYPE", "SIZE"), rows)
    say(*(visible(f"saved: {path}") for path in paths))


def _usual(mail: Mail) -> Iterator[tuple[str, str]]:
    people = (("From", mail.from_), ("To", mail.to), ("Cc", mail.cc), ("Reply-To", mail.reply_to))
    yield from ((name, ", ".join(map(str, found))) for name, found in people if found)
    if mail.date is not None:
        yield "Date", mail.date.isoformat(" ")
    yield "Subject", mail.subject


def _show_reports(returned: Bounce | None, complained: Complaint | None) -> None:
    if returned is not None:
        say("", visible(f"a bounce ({returned.form}) about {returned.message_id or 'a message'}:"))
        rows = ((one.recipient, one.action, one.status, one.diagnosis) for one in returned.reports)
        say_table(("RECIPIENT", "ACTION", "STATUS", "DIAGNOSIS"), rows)
    if complained is not None:
        whose = ", ".join(complained.recipients) or "a recipient who is not named"
        say("", visible(f"a complaint ({complained.kind}) of {whose}"))


def _facts(mail: Mail, paths: list[Path]) -> dict[str, object]:
    people = {"from": mail.from_, "to": mail.to, "cc": mail.cc, "reply_to": mail.reply_to}
    return {
        "subject": mail.subject,
        **{name: [asdict(one) for one in found] for name, found in people.items()},
        "date": mail.date and mail.date.isoformat(),
        "message_id": mail.message_id,
        "text": mail.text,
        "html": mail.html,
        "attachments": [
            {
                "filename": file.filename,
                "content_type": file.content_type,
                "size": len(file.data),
                "content_id": file.content_id,
                "saved": str(paths[number]) if paths else None,
            }
            for number, file in enumerate(mail.attachments)
        ],
        "header": [list(field) for field in mail.header],
        "defects": list(mail.defects),
    }


def _about(returned: Bounce | None) -> dict[str, object] | None:
    if returned is None:
        return None
    return asdict(returned) | {"reports": [asdict(one) | {"permanent": one.permanent} for one in returned.reports]}
