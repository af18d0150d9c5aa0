"""Other people's readers of mail: each is told a whole message, and asked what it says."""

import email
import email.header
import email.policy
import json
import os
import pty
import re
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage
from io import FileIO
from pathlib import Path
from threading import Timer
from typing import ClassVar

from reader import EVERYWHERE, HEADER, PATIENCE, Limit, Reader, Seen, digest, has_any, header_fields, lacking

TWO_WORDS = "=?utf-8?q?a?= =?utf-8?q?b?= <a@example.jp>"
LEAVES_SPACES = email.policy.default.header_factory("From", TWO_WORDS).addresses[0].display_name != "ab"

HERE = Path(__file__).parent
MAILPARSER = HERE.parents[1] / ".peers/mailparser/node_modules/mailparser"
NOBODY = 65534


class PythonEmail(Reader):
    """The standard library's parser."""

    name = "email"
    limits = (
        Limit(
            EVERYWHERE,
            "its codecs have neither the vendors' characters nor, in ISO-2022-JP, half-width kana",
            lacking({"iso-2022-jp": "iso2022_jp", "shift_jis": "shift_jis", "euc-jp": "euc_jp"}),
        ),
        Limit(
            ("from_name", "to_names"),
            "it leaves the space between encoded words in a name",
            lambda text, _: LEAVES_SPACES and any(len(name.encode()) > 25 for name in text.split("\n")),
        ),
    )

    def read(self, octets: bytes) -> Seen:
        message = email.message_from_bytes(octets, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        files = [part for part in message.walk() if part.get_filename() is not None]
        return Seen(
            subject=message["Subject"] or "",
            from_name=message["From"].addresses[0].display_name,
            to_names=tuple(address.display_name for address in message["To"].addresses),
            text=_content(message.get_body(("plain",))),
            html=_content(message.get_body(("html",))),
            files=tuple((part.get_filename(), digest(part.get_payload(decode=True))) for part in files),
            names=tuple(_decoded(part.get_param("name", "")) for part in files),
        )


def _content(part: EmailMessage | None) -> str:
    return part.get_content() if part else ""


def _decoded(value: str) -> str:
    pieces = email.header.decode_header(value)
    return "".join(
        piece if isinstance(piece, str) else piece.decode(codec or "ascii", "replace") for piece, codec in pieces
    )


class InLines(Reader):
    """A program that goes on running, and reads one message a line."""

    command: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        self._process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, octets: bytes) -> Seen:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b64encode(octets) + b"\n")
        self._process.stdin.flush()
        timer = Timer(PATIENCE, self._process.kill)
        timer.start()
        found = json.loads(self._process.stdout.readline())
        timer.cancel()
        assert "error" not in found, found
        for field in ("to_names", "names"):
            if field in found:
                found[field] = tuple(found[field])
        return Seen(**{**found, "files": tuple(map(tuple, found["files"]))})

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()


class EmailMime(InLines):
    """Perl's Email::MIME, told what Japanese mail means by its charsets' labels."""

    name = "Email::MIME"
    needed = ("perl",)
    command = ("perl", str(HERE / "read_mail.pl"))

    @classmethod
    def lacks(cls) -> str | None:
        found = subprocess.run(["perl", "-MEmail::MIME", "-MEncode::EUCJPMS", "-e1"], capture_output=True, check=False)
        return "Email::MIME" if found.returncode else None


class Mailparser(InLines):
    """npm's mailparser, by nodemailer's author."""

    name = "mailparser"
    needed = ("node",)
    command = ("node", str(HERE / "read_mail.cjs"))

    @classmethod
    def lacks(cls) -> str | None:
        return None if MAILPARSER.is_dir() else "mailparser"


class Reformime(Reader):
    """Courier's reformime, which decodes header fields, and finds and decodes parts, but no charset of a text."""

    name = "reformime"
    needed = ("reformime",)
    limits = (
        Limit(
            ("subject", "files"),
            "its codecs have neither the vendors' characters nor, in ISO-2022-JP, half-width kana",
            lacking({"iso-2022-jp": "iso2022_jp", "shift_jis": "shift_jis", "euc-jp": "euc_jp"}),
        ),
        Limit(("files",), "it leaves backslashes in front of quotes", lambda text, _: '"' in text and text.isascii()),
    )

    def read(self, octets: bytes) -> Seen:
        fields = header_fields(octets)
        parts = [part for part in self._parts(octets) if not part["content-type"].startswith("multipart/")]
        files = [part for part in parts if "content-disposition-filename" in part]
        return Seen(
            subject=self._run("-c", "utf-8", "-h", fields.get("subject", "")).decode().removesuffix("\n"),
            text=self._text(octets, parts, "text/plain"),
            html=self._text(octets, parts, "text/html"),
            files=tuple((part["content-disposition-filename"], self._digest(octets, part)) for part in files),
        )

    def _parts(self, octets: bytes) -> list[dict[str, str]]:
        told = self._run("-i", octets=octets).decode()
        return [dict(line.split(": ", 1) for line in part.splitlines()) for part in told.strip().split("\n\n")]

    def _text(self, octets: bytes, parts: list[dict[str, str]], kind: str) -> str | None:
        for part in parts:
            if part["content-type"] == kind and "content-disposition-filename" not in part:
                return (
                    self._section(octets, part).decode() if part["charset"].lower() in ("utf-8", "us-ascii") else None
                )
        return ""

    def _digest(self, octets: bytes, part: dict[str, str]) -> str:
        return digest(self._section(octets, part))

    def _section(self, octets: bytes, part: dict[str, str]) -> bytes:
        return self._run("-e", "-s", part["section"], octets=octets)

    def _run(self, *options: str, octets: bytes = b"") -> bytes:
        command = ["reformime", *options]
        return subprocess.run(command, input=octets, capture_output=True, check=True, timeout=PATIENCE).stdout


class Nkf(Reader):
    """nkf, which has read Japanese mail in terminals since 1987; it is asked about ISO-2022-JP alone."""

    name = "nkf"
    needed = ("nkf",)

    def read(self, octets: bytes) -> Seen:
        fields = header_fields(octets)
        return Seen(
            subject=self._words(fields.get("subject", "")),
            from_name=self._words(fields["from"].rpartition(" <")[0]),
            text=self._text(fields, octets.partition(b"\r\n\r\n")[2]),
        )

    def _words(self, field: str) -> str | None:
        charsets = {found.lower() for found in re.findall(r"=\?(.*?)\?", field)}
        return self._run("-mw", field.encode()) if charsets == {"iso-2022-jp"} else None

    def _text(self, fields: Mapping[str, str], body: bytes) -> str | None:
        kind, encoding = fields.get("content-type", ""), fields.get("content-transfer-encoding", "7bit")
        is_ours = re.match(r'text/plain; *charset="?iso-2022-jp\b', kind, re.IGNORECASE) and encoding == "7bit"
        return self._run("-m0w", body) if is_ours else None

    def _run(self, option: str, octets: bytes) -> str:
        # -x leaves half-width kana alone.
        command = ["nkf", option, "-x", "--ic=CP50221", "--oc=UTF-8"]
        return subprocess.run(command, input=octets, capture_output=True, check=True, timeout=PATIENCE).stdout.decode()


class Mutt(Reader):
    """mutt, on a terminal of its own: what it shows of a message."""

    name = "mutt"
    needed = ("mutt",)
    limits = (
        Limit(
            (*HEADER, "text"),
            "iconv has neither CP50221 nor CP51932",
            lacking({"iso-2022-jp": "iso2022_jp", "euc-jp": "euc_jp"}),
        ),
        Limit(("from_name",), "it takes quotes out of names, and what a backslash stands before", has_any('"\\')),
    )

    SETTINGS = """
set folder={folder} charset=utf-8 wait_key=no quit=yes sleep_time=0 read_inc=0 mark_old=no
set pipe_decode=yes rfc2047_parameters=yes
charset-hook ^shift_jis$ CP932
charset-hook ^euc-jp$ EUC-JP-MS
ignore *
unignore from to subject
push "<pipe-message>cat > {folder}/shown<enter><exit>"
"""

    def read(self, octets: bytes) -> Seen:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "muttrc").write_text(self.SETTINGS.format(folder=folder))
            make_maildir(folder / "mail", octets)
            on_a_terminal(["mutt", "-n", "-F", f"{folder}/muttrc", "-R", "-f", f"{folder}/mail"], home=name)
            shown = (folder / "shown").read_text()
        return self._seen(shown, kind=header_fields(octets)["content-type"])

    def _seen(self, shown: str, *, kind: str) -> Seen:
        header, _, body = shown.partition("\n\n")
        fields = dict(line.split(":", 1) for line in re.sub(r"\n[ \t]", " ", header).split("\n"))
        return Seen(
            subject=fields.get("Subject", "").removeprefix(" "),
            from_name=_unquoted(fields["From"].strip().rpartition(" <")[0]),
            # It shows all parts of text one below the other.
            text=body if kind.startswith("text/plain") else None,
        )


def _unquoted(phrase: str) -> str:
    return re.sub(r"\\(.)", r"\1", phrase[1:-1]) if phrase.startswith('"') and phrase.endswith('"') else phrase


def make_maildir(folder: Path, octets: bytes) -> None:
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    (folder / "new" / "1.1.host").write_bytes(octets.replace(b"\r\n", b"\n"))


def on_a_terminal(command: list[str], *, home: str) -> None:
    """Run what wants a terminal, and let it write there what it likes."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "HOME": home}
    with FileIO(ours) as screen:
        process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True)
        os.close(its)
        timer = Timer(PATIENCE, process.kill)
        timer.start()
        # On Linux reading fails once nobody is left at the other end.
        with process, suppress(OSError):
            while screen.read(65536):
                pass
        timer.cancel()


class Dovecot(Reader):
    """Dovecot's doveadm, which reads a maildir as its IMAP server does."""

    name = "Dovecot"
    needed = ("doveadm",)
    limits = (
        Limit(
            (*HEADER, "text"),
            "iconv's codecs of these names have no vendors' characters, nor half-width kana in ISO-2022-JP",
            lacking({"iso-2022-jp": "iso2022_jp", "shift_jis": "shift_jis", "euc-jp": "euc_jp"}),
        ),
        Limit(
            (*HEADER, "text"),
            "iconv reads Shift_JIS as JIS X 0201: yen and overline",
            lambda text, charset: charset == "shift_jis" and has_any("\\~")(text, charset),
        ),
    )

    CONFIGURATION = """
log_path = /dev/stderr
base_dir = {folder}/base
first_valid_uid = 1
mail_location = maildir:{folder}/mail
"""
    FIELDS = ("hdr.subject.utf8", "hdr.from.utf8", "text.utf8", "imap.bodystructure")

    def read(self, octets: bytes) -> Seen:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "dovecot.conf").write_text(self.CONFIGURATION.format(folder=folder))
            make_maildir(folder / "mail", octets)
            # It reads no mail as root.
            other = self._give_away(folder) if os.geteuid() == 0 else {}
            command = ["doveadm", "-c", f"{folder}/dovecot.conf", "-f", "json", "fetch", " ".join(self.FIELDS), "all"]
            told = subprocess.run(
                command,
                capture_output=True,
                check=True,
                timeout=PATIENCE,
                env={**os.environ, "USER": "reader", "HOME": name},
                **other,
            ).stdout
        return self._seen(*json.loads(told))

    def _give_away(self, folder: Path) -> dict[str, object]:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        return {"user": NOBODY, "group": NOBODY, "extra_groups": ()}

    def _seen(self, told: Mapping[str, str]) -> Seen:
        return Seen(
            subject=told["hdr.subject.utf8"],
            from_name=_unquoted(told["hdr.from.utf8"].rpartition(" <")[0]),
            text=self._text(told["text.utf8"]) if told["imap.bodystructure"].startswith('"text" "plain"') else None,
        )

    def _text(self, whole: str) -> str:
        return whole.partition("\n\n")[2]


READERS = {reader.name: reader for reader in (PythonEmail, EmailMime, Mailparser, Reformime, Nkf, Mutt, Dovecot)}
