"""Mail transactions: MAIL, RCPT, and the message itself by DATA or BDAT."""

import time
from itertools import count
from typing import TypeAlias

from ninsho.testing.commands import BadCommand, Envelope, read_chunk, read_path
from ninsho.testing.content import faults_of, unstuff, unstuffed_lines
from ninsho.testing.conversation import Conversation
from ninsho.testing.extensions import check
from ninsho.testing.received import Received

_serial = count(1)

Refusal: TypeAlias = tuple[int, str]


class Transactions:
    """The transactions of one conversation, one after the other."""

    def __init__(self, conversation: Conversation) -> None:
        self._talk = conversation
        self._begun = 0
        self.reset()

    @property
    def open(self) -> bool:
        """Whether there is a sender."""
        return self._sender is not None

    def reset(self) -> None:
        """Forget the sender, the recipients and what came of the message."""
        self._sender: Envelope | None = None
        self._recipients: list[Envelope] = []
        self._chunks: list[bytes] = []
        # A chunk was refused, so that nothing but RSET helps (RFC 3030 §2); and whether the client could know that.
        self._broken = self._told = False

    def mail(self, argument: str) -> None:
        """Serve MAIL."""
        talk = self._talk
        try:
            envelope = self._envelope("MAIL", argument)
        except BadCommand as bad:
            self._refuse_syntax("MAIL", argument, bad)
            return
        refusal = self._mail_refusal(envelope)
        if refusal is not None:
            talk.answer("MAIL", envelope.address, *refusal)
            return
        talk.answer("MAIL", envelope.address, 250, "2.1.0 Ok", effect=lambda: self._begin(envelope))

    def rcpt(self, argument: str) -> None:
        """Serve RCPT."""
        talk = self._talk
        try:
            envelope = self._envelope("RCPT", argument)
        except BadCommand as bad:
            self._refuse_syntax("RCPT", argument, bad)
            return
        refusal = self._rcpt_refusal()
        if refusal is not None:
            talk.answer("RCPT", envelope.address, *refusal)
            return
        talk.answer("RCPT", envelope.address, 250, "2.1.5 Ok", effect=lambda: self._recipients.append(envelope))

    def data(self, argument: str) -> None:
        """Serve DATA and the message behind it."""
        talk = self._talk
        code, text = self._data_refusal(argument) or (354, "End data with <CR><LF>.<CR><LF>")
        # A fault may ask for the message where nobody can have it, or refuse it where somebody could.
        if talk.answer("DATA", argument, code, text) != 354:
            return
        talk.stream.arrival()
        talk.strike("content")
        lines = talk.stream.until_dot()
        for fault in unstuffed_lines(lines):
            talk.violation(f"DATA: {fault}")
        self._end("DATA", unstuff(lines))

    def bdat(self, argument: str) -> None:
        """Serve BDAT, whose octets are taken in any case (RFC 3030 §2)."""
        talk = self._talk
        try:
            size, last = read_chunk(argument)
        except BadCommand as bad:
            self._refuse_syntax("BDAT", argument, bad)
            return
        chunk = talk.stream.octets(size)
        refusal = self._bdat_refusal()
        if refusal is not None:
            self._chunk(argument, refusal, last=last)
        elif last:
            self._end("BDAT", b"".join((*self._chunks, chunk)))
        else:
            self._chunk(argument, (250, f"2.0.0 {size} octets received"), last=False, chunk=chunk)

    def _chunk(self, argument: str, reply: Refusal, *, last: bool, chunk: bytes = b"") -> None:
        """Reply to a chunk that does not end a message; where it is refused, so is what follows."""
        talk = self._talk
        code = talk.answer("BDAT", argument, *reply, effect=lambda: self._chunks.append(chunk))
        if code < 400:
            return
        # RFC 3030 §2 leaves open how the client gets out of it; to Postfix the last chunk does as RSET.
        if last:
            self.reset()
        elif self.open:
            self._broken, self._told = True, talk.waited_for

    def _envelope(self, verb: str, argument: str) -> Envelope:
        envelope = read_path(verb, argument)
        check(verb, envelope, self._talk.offered())
        parameters = envelope.parameters if verb == "MAIL" else self._sender.parameters if self._sender else {}
        if not envelope.address.isascii() and "SMTPUTF8" not in parameters:
            raise BadCommand(f"{verb}: expected SMTPUTF8 for an address that is not ASCII", code=553, enhanced="5.6.7")
        return envelope

    def _mail_refusal(self, envelope: Envelope) -> Refusal | None:
        talk = self._talk
        if not talk.hello:
            return self._out_of_order("MAIL", "EHLO or HELO first")
        if self._broken and not self._told:
            return 503, "5.5.1 RSET first"
        if self.open:
            rule = "RSET after a BDAT that was refused (RFC 3030 §2)" if self._broken else "one transaction at a time"
            return self._out_of_order("MAIL", rule)
        if talk.options.require_auth and talk.mechanism is None:
            return 530, "5.7.0 Authentication required"
        return self._too_many() or self._too_large(int(envelope.parameters.get("SIZE") or 0))

    def _too_many(self) -> Refusal | None:
        limit = self._talk.options.limits.get("MAILMAX")
        if limit is None or self._begun < limit:
            return None
        self._exceeds("MAILMAX", limit)
        return 421, "4.7.0 Too many messages on this connection"

    def _rcpt_refusal(self) -> Refusal | None:
        if not self.open:
            return 503, "5.5.1 MAIL first"
        limit = self._talk.options.limits.get("RCPTMAX")
        if limit is not None and len(self._recipients) >= limit:
            self._exceeds("RCPTMAX", limit)
            return 452, "4.5.3 Too many recipients"
        return None

    def _data_refusal(self, argument: str) -> Refusal | None:
        if argument:
            self._talk.violation("DATA: expected no argument")
            return 501, "5.5.4 DATA takes no argument"
        if self._sender is not None and self._sender.parameters.get("BODY", "").upper() == "BINARYMIME":
            return self._out_of_order("DATA", "BDAT for BODY=BINARYMIME (RFC 3030 §3)")
        if self._chunks or self._broken:
            return self._out_of_order("DATA", "no DATA where BDAT has begun (RFC 3030 §2)")
        return None if self._recipients else (503, "5.5.1 No valid recipients")

    def _bdat_refusal(self) -> Refusal | None:
        if "CHUNKING" not in self._talk.offered():
            self._talk.violation("BDAT: CHUNKING is not offered")
            return 500, "5.5.1 Command unrecognized"
        if self._broken:
            if self._told:
                self._talk.violation("BDAT: after one that was refused, without RSET (RFC 3030 §2)")
            return 503, "5.5.1 RSET first"
        return None if self._recipients else (503, "5.5.1 No valid recipients")

    def _begin(self, envelope: Envelope) -> None:
        self.reset()
        self._begun += 1
        self._sender = envelope

    def _end(self, verb: str, content: bytes) -> None:
        """Judge the message, keep it, reply: with LMTP once for each recipient (RFC 2033 §4.2)."""
        talk, sender, recipients = self._talk, self._sender, self._recipients
        for fault in faults_of(content, sender.parameters if sender else {}):
            talk.violation(f"{verb}: {fault}")
        self.reset()
        if sender is None or not recipients:
            talk.answer("dot", "", 554, "5.5.1 No valid recipients")
            return
        groups = [[one] for one in recipients] if talk.options.protocol == "lmtp" else [recipients]
        for group in groups:
            self._finish(sender, group, content)

    def _finish(self, sender: Envelope, recipients: list[Envelope], content: bytes) -> None:
        talk = self._talk
        queue_id = f"{int(time.time() * 1000):X}{next(_serial):04X}"
        text = recipients[0].address if talk.options.protocol == "lmtp" else sender.address
        if refusal := self._too_large(len(content)):
            talk.answer("dot", text, *refusal)
            return
        received = self._received(sender, recipients, content, queue_id)
        talk.answer("dot", text, 250, f"2.0.0 Ok: queued as {queue_id}", effect=lambda: talk.ledger.keep(received))

    def _received(self, sender: Envelope, recipients: list[Envelope], content: bytes, queue_id: str) -> Received:
        talk = self._talk
        return Received(
            sender=sender.address,
            recipients=tuple(one.address for one in recipients),
            content=content,
            mail_parameters=sender.parameters,
            rcpt_parameters={one.address: one.parameters for one in recipients},
            mechanism=talk.mechanism,
            username=talk.username,
            tls=talk.stream.tls.version() if talk.stream.tls else None,
            hello=talk.hello,
            connection=talk.number,
            queue_id=queue_id,
        )

    def _too_large(self, size: int) -> Refusal | None:
        limit = self._talk.options.size_limit
        return (552, "5.3.4 Message size exceeds fixed limit") if limit and size > limit else None

    def _exceeds(self, name: str, limit: int) -> None:
        if "LIMITS" in self._talk.offered():
            self._talk.violation(f"more than {name}={limit}, which is offered (RFC 9422)")

    def _out_of_order(self, verb: str, expected: str) -> Refusal:
        self._talk.violation(f"{verb}: expected {expected}")
        return 503, f"5.5.1 Expected {expected}"

    def _refuse_syntax(self, verb: str, argument: str, bad: BadCommand) -> None:
        self._talk.violation(f"{verb}: {bad}")
        self._talk.answer(verb, argument, bad.code, bad.reply)
