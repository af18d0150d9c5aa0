"""The standard library: an ``EmailMessage`` for each recipient, sent by smtplib; the file's part is made once."""

from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WITH_CRLF
from email.utils import localtime, make_msgid
from smtplib import SMTP

from driving import EHLO_NAME, Order, drive
from letter import Letter, rows


class Writer:
    """Builds messages; nobody has to encode the same file twice."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._author = Address(letter.author, addr_spec=letter.sender)
        self._file = EmailMessage(WITH_CRLF)
        self._file.set_content(letter.file, "application", "pdf", disposition="attachment", filename=letter.filename)
        del self._file["MIME-Version"]

    def message(self, row: Mapping[str, object]) -> EmailMessage:
        """Build the message of a row."""
        message = EmailMessage(WITH_CRLF)
        message["From"] = self._author
        message["To"] = Address(f"{row['name']}様", addr_spec=str(row["email"]))
        message["Subject"] = self._letter.subject.format(**row)
        message["Date"] = localtime()
        message["Message-ID"] = make_msgid(domain="example.test")
        message.set_content(self._letter.text.format(**row))
        if self._letter.file:
            message.make_mixed()
            message.attach(self._file)
        return message


def send(order: Order) -> int:
    """Send by ``sendmail``, which takes octets; it raises where nobody gets the message."""
    letter = Letter.read(order.path)
    writer = Writer(letter)
    with SMTP("127.0.0.1", order.port, local_hostname=EHLO_NAME) as client:
        return sum(
            not client.sendmail(letter.sender, [row["email"]], writer.message(row).as_bytes())
            for row in rows(order.count)
        )


if __name__ == "__main__":
    drive(send)
