"""Clients that write what they are given to a mailbox, or print it."""

import mailbox
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from ninsho.testing.double import Asynchronous, Blocking, Double
from ninsho.testing.received import Received
from ninsho.wire.smtp import shown


class _Mailbox(Double):
    """*path* is made where it is not there; the envelope stands in Return-Path and X-Envelope-To."""

    def __init__(self, path: str | os.PathLike[str], *, refuse: Mapping[str, str] | None = None) -> None:
        super().__init__(refuse=refuse)
        self._mailbox = self._open(os.fspath(path))

    def _let_go(self) -> None:
        self._mailbox.close()

    def _open(self, path: str) -> "mailbox.mbox | mailbox.Maildir":
        raise NotImplementedError

    def _keep(self, received: Received) -> None:
        self._mailbox.lock()
        try:
            self._mailbox.add(_with_envelope(received))
            self._mailbox.flush()
        finally:
            self._mailbox.unlock()


class _Mbox(_Mailbox):
    def _open(self, path: str) -> mailbox.mbox:
        return mailbox.mbox(path)


class _Maildir(_Mailbox):
    def _open(self, path: str) -> mailbox.Maildir:
        return mailbox.Maildir(path)


class _Echo(Double):
    """*stream* is standard output unless it is given."""

    def __init__(self, stream: TextIO | None = None, *, refuse: Mapping[str, str] | None = None) -> None:
        super().__init__(refuse=refuse)
        self._stream = stream

    def _keep(self, received: Received) -> None:
        lines = [f"MAIL FROM:<{received.sender}>{_words(received.mail_parameters)}"]
        lines += [f"RCPT TO:<{one}>{_words(received.rcpt_parameters[one])}" for one in received.recipients]
        lines += [shown(line) for line in received.content.split(b"\r\n")]
        print(*lines, sep="\n", file=self._stream or sys.stdout)


class MboxClient(_Mbox, Blocking):
    """Stands in for ``Client``: what it is given is appended to a file in mbox format."""


class AsyncMboxClient(_Mbox, Asynchronous):
    """Stands in for ``AsyncClient``: what it is given is appended to a file in mbox format."""


class MaildirClient(_Maildir, Blocking):
    """Stands in for ``Client``: what it is given becomes a file in a Maildir."""


class AsyncMaildirClient(_Maildir, Asynchronous):
    """Stands in for ``AsyncClient``: what it is given becomes a file in a Maildir."""


class EchoClient(_Echo, Blocking):
    """Stands in for ``Client``: what would be sent is printed, control characters escaped."""


class AsyncEchoClient(_Echo, Asynchronous):
    """Stands in for ``AsyncClient``: what would be sent is printed, control characters escaped."""


def _with_envelope(received: Received) -> bytes:
    recipients = ",\n ".join(f"<{recipient}>" for recipient in received.recipients)
    envelope = f"Return-Path: <{received.sender}>\nX-Envelope-To: {recipients}\n"
    return envelope.encode() + received.content.replace(b"\r\n", b"\n")


def _words(parameters: Mapping[str, str]) -> str:
    return "".join(f" {name}={value}" if value else f" {name}" for name, value in parameters.items())
