"""The demonstration's letter: Japanese, with a file, in the charset that every mailer in Japan reads."""

from collections.abc import Iterator
from email.message import EmailMessage

from ninsho import Attachment, compose
from ninsho.mail.reading import Mail

SUBJECT = "㈱認証　お見積もりの件①"
TEXT = "山田様\n\nいつもお世話になっております。\n見積書（～11月分）をお送りします。\n"
FILE = "見積書.pdf"
OCTETS = b"%PDF-1.4\n" + bytes(range(256)) * 8


def letter(address: str) -> EmailMessage:
    """Return the letter, from and to the same."""
    return compose(
        from_=("営業部", address),
        to=("山田, 太郎", address),
        subject=SUBJECT,
        text=TEXT,
        attach=Attachment(data=OCTETS, filename=FILE),
        charset="iso-2022-jp",
    )


def on_the_wire(octets: bytes) -> Iterator[str]:
    """Give the lines that show how it was encoded."""
    for line in octets.decode("ascii", "replace").splitlines():
        if line.startswith(("Subject:", "Content-Type: text")) or line.strip().startswith("filename"):
            yield line.strip()


def shown(mail: Mail) -> Iterator[str]:
    """Give the lines that a mail reader shows."""
    for name, people in (("From", mail.from_), ("To", mail.to)):
        yield f"{name}: {', '.join(map(str, people))}"
    yield f"Subject: {mail.subject}"
    yield ""
    yield from mail.text.splitlines()
    for file in mail.attachments:
        yield f"[{file.filename}: {file.content_type}, {len(file.data)} octets]"
