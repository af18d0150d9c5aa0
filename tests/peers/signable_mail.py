"""Messages that are awkward to sign: line ends, white space and dots that change on the way, Japanese, attachments."""

from email import policy
from email.message import EmailMessage

HEAD = (
    b"From: taro@example.com\r\nTo: bob@example.org\r\nBcc: secret@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
)
NOTE = "前略\n\n認証しました。\u3000 \n-- \n山田太郎\n"
FILE = bytes(range(256)) * 20


def japanese(charset: str, cte: str) -> bytes:
    """A Japanese message with an attachment, which has all octets there are."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = "taro@example.com", "bob@example.org", "お知らせ"
    message.set_content(NOTE, charset=charset, cte=cte)
    message.add_attachment(FILE, "application", "octet-stream", filename="見積書.pdf")
    return message.as_bytes()


SHAPES = {
    "japanese, 8-bit": japanese("utf-8", "8bit"),
    "japanese, base64": japanese("utf-8", "base64"),
    "japanese, iso-2022-jp": japanese("iso-2022-jp", "7bit"),
    "trailing spaces": HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\nflowed \r\ntext\t\r\n-- \r\n \r\n",
    "dots": HEAD + b"\r\n.\r\n..\r\n.dot\r\n",
    "mailbox lines": HEAD + b"\r\nFrom here\r\n>From there\r\n",
    "empty body": HEAD + b"\r\n",
    "no body": HEAD,
    "blank lines": HEAD + b"\r\n\r\n\r\nx\r\n\r\n\r\n",
    "no line end": HEAD + b"\r\nHello",
    "line feeds alone": (HEAD + b"\r\nHello\r\n\r\nyou\r\n").replace(b"\r\n", b"\n"),
    "html": HEAD + b"Content-Type: text/html\r\n\r\n<p>" + b"x" * 2000 + b"</p>\r\n",
}
