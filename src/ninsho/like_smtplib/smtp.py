"""SMTP, SMTP_SSL and LMTP with smtplib's methods: our ways to log in, our pipelining, TLS that is verified."""

import hmac
from base64 import b64encode, decodebytes
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from email.utils import parseaddr
from smtplib import LMTP_PORT, SMTP_SSL_PORT, SMTPServerDisconnected, quoteaddr
from ssl import SSLContext
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from ninsho.client.errors import (
    AuthenticationFailed,
    ContentRefused,
    HelloRefused,
    NotOffered,
    RecipientsRefused,
    Refused,
    ServerUnproven,
)
from ninsho.client.login import CHALLENGES, CONTINUE, SUCCESS, log_in
from ninsho.client.session import HIDDEN
from ninsho.client.settings import Endpoint, Login, TLSMode, Trust
from ninsho.client.tls import context_of
from ninsho.client.transactions import GO_AHEAD
from ninsho.like_smtplib.alike import told_alike
from ninsho.like_smtplib.submitted import Refusals, submit
from ninsho.like_smtplib.talk import DEFAULT, Answer, Talk, answer
from ninsho.mail.addresses import a_labels
from ninsho.mail.content import dot_stuffed, with_line_ends
from ninsho.mail.envelope import Envelope
from ninsho.mail.sources import taken
from ninsho.mail.terms import Terms
from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import Reply

if TYPE_CHECKING:
    from email.message import Message

READY: Final = 220
DELIVERS: Final = range(200, 300)


class SMTP(Talk):
    """A connection to an SMTP server, as ``smtplib.SMTP`` is one.

    ``allow_cleartext`` says whether a password may be said without TLS; None: on this machine only. Certificates are
    verified where no context says otherwise. A method that fails raises an error of smtplib's, which is a
    ``ClientError`` as well.
    """

    ehlo_msg: ClassVar[str] = "ehlo"
    allow_cleartext: bool | None = None
    user = ""
    password = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with suppress(SMTPServerDisconnected):
                self.docmd("QUIT")
                # What went wrong within says more.
                if self._last.code != 221 and kind is None:
                    raise Refused("QUIT", self._last)
        finally:
            self.close()

    # What the server is, and can do.

    def helo(self, name: str = "") -> Answer:
        """Say HELO; return the reply."""
        found = self.docmd("helo", name or self.local_hostname)
        self.helo_resp = found[1]
        return found

    def ehlo(self, name: str = "") -> Answer:
        """Say EHLO, and learn what the server offers; return the reply."""
        self.esmtp_features = {}
        found = self.docmd(self.ehlo_msg, name or self.local_hostname)
        self.ehlo_resp = found[1]
        if found[0] == 250:
            self._learn(self._last)
        return found

    def ehlo_or_helo_if_needed(self) -> None:
        """Say EHLO, else HELO, unless one has been said; raise ``SMTPHeloError``."""
        if self.ehlo_resp is not None or self.helo_resp is not None:
            return
        if self.ehlo()[0] not in DELIVERS and self.helo()[0] not in DELIVERS:
            raise HelloRefused("HELO", self._last)

    def has_extn(self, opt: str) -> bool:
        """Tell whether the server offers an extension."""
        return opt.lower() in self.esmtp_features

    def starttls(
        self, keyfile: str | None = None, certfile: str | None = None, context: SSLContext | None = None
    ) -> Answer:
        """Begin TLS; without a *context* the certificate is verified, by the system's authorities.

        Raises ``SMTPNotSupportedError``, ``SMTPResponseException``, or ``TLSFailed``, which is an ``ssl.SSLError`` too.
        """
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("starttls"):
            raise NotOffered("expected a server that offers STARTTLS, got one without")
        self._context = context or _context(keyfile, certfile)
        found = self.docmd("STARTTLS")
        if found[0] != READY:
            raise Refused("STARTTLS", self._last)
        self._run(self._open.shake_hands())
        # RFC 3207 §4.2: whatever was learnt before TLS may have been forged.
        self._forget()
        return found

    # Who we are.

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> Answer:
        """Log in by the best mechanism that is offered; return the reply.

        Raises ``SMTPNotSupportedError`` where none can be used, as none without TLS that shows the password, and
        ``SMTPAuthenticationError``. A wrong password is said once, not by each mechanism in turn.
        """
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("auth"):
            raise NotOffered("expected a server that offers AUTH, got one without")
        session = self._open
        self.user, self.password = user, password
        clear = session.endpoint.loopback if self.allow_cleartext is None else self.allow_cleartext
        with told_alike():
            login = Login(username=user, password=password, allow_cleartext=clear)
            session.settings, session.initial_response = replace(session.settings, login=login), initial_response_ok
        with told_alike():
            self._run(log_in(session))
        return answer(self._last)

    def auth(
        self, mechanism: str, authobject: Callable[..., str | None], *, initial_response_ok: bool = True
    ) -> Answer:
        """Log in by a mechanism of one's own: *authobject* is called with each challenge, and for the first response.

        Raises ``SMTPAuthenticationError``; also for 503, which says that the server did not listen.
        """
        name = mechanism.upper()
        first = authobject() if initial_response_ok else None
        self._responses = int(first is not None)
        reply = self._say(f"AUTH {name}", first)
        while reply.code == CONTINUE:
            self._responses += 1
            reply = self._say("", authobject(decodebytes(b"".join(reply.lines))))
            if self._responses > CHALLENGES:
                self.close()
                raise ServerUnproven(f"Server AUTH mechanism infinite loop: more than {CHALLENGES} challenges")
        if reply.code != SUCCESS:
            raise AuthenticationFailed(f"AUTH {name}", reply, mechanism=name)
        return answer(reply)

    def auth_plain(self, challenge: bytes | None = None) -> str:  # noqa: ARG002 - it answers none
        """Return what PLAIN says of ``user`` and ``password``; for ``auth``."""
        return f"\0{self.user}\0{self.password}"

    def auth_login(self, challenge: bytes | None = None) -> str:
        """Return what LOGIN says, at its turn; for ``auth``."""
        return self.user if challenge is None or self._responses < 2 else self.password

    def auth_cram_md5(self, challenge: bytes | None = None) -> str | None:
        """Return what CRAM-MD5 answers; for ``auth``."""
        if challenge is None:
            return None
        return f"{self.user} {hmac.new(self.password.encode(), challenge, 'md5').hexdigest()}"

    # Commands.

    def noop(self) -> Answer:
        """Say NOOP; return the reply."""
        return self.docmd("noop")

    def rset(self) -> Answer:
        """Say RSET; return the reply."""
        self.command_encoding = "ascii"
        return self.docmd("rset")

    def help(self, args: str = "") -> bytes:
        """Say HELP; return the text of the reply."""
        return self.docmd("help", args)[1]

    def verify(self, address: str) -> Answer:
        """Say VRFY; return the reply."""
        return self.docmd("vrfy", _bare(address))

    vrfy = verify

    def expn(self, address: str) -> Answer:
        """Say EXPN; return the reply."""
        return self.docmd("expn", _bare(address))

    def mail(self, sender: str, options: Sequence[str] = ()) -> Answer:
        """Say MAIL; return the reply. Raises ``SMTPNotSupportedError`` where it is to be SMTPUTF8 and cannot."""
        self._use(options)
        return self.docmd("mail", self._path("from", sender, options))

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> Answer:
        """Say RCPT; return the reply."""
        return self.docmd("rcpt", self._path("to", recip, options))

    def data(self, msg: str | bytes) -> Answer:
        """Say DATA, and then the message, its line ends mended; return the last reply. Raises ``SMTPDataError``."""
        octets = _octets(msg)
        if self.docmd("data")[0] != GO_AHEAD:
            raise ContentRefused("DATA", self._last)
        self._run(self._open.send(dot_stuffed(octets) + b".\r\n", shown=f"({len(octets)} octets)"))
        session = self._open
        return answer(self._run(session.reply(session.settings.timeouts.data_end)))

    # Whole messages.

    def sendmail(
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: str | bytes,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> Refusals:
        """Submit a message, in two round trips where the server allows; return code and text by who may not have it.

        Raises ``SMTPSenderRefused``, ``SMTPRecipientsRefused``, ``SMTPDataError``, or ``OutcomeUnknown``, which is an
        ``SMTPServerDisconnected``, where nobody can tell whether the server has taken it.
        """
        self.ehlo_or_helo_if_needed()
        octets = _octets(msg)
        recipients = [to_addrs] if isinstance(to_addrs, str) else list(to_addrs)
        self._use(mail_options)
        size = [f"size={len(octets)}"] if self.has_extn("size") else []
        mail = self._line("mail", self._path("from", from_addr, [*size, *mail_options]))
        rcpts = {one: self._line("rcpt", self._path("to", one, rcpt_options)) for one in recipients}
        if not rcpts:
            raise RecipientsRefused({})
        try:
            return self._run(submit(self._open, mail, rcpts, octets))
        except (Refused, RecipientsRefused):
            self._begin_anew()
            raise

    def send_message(
        self,
        msg: "Message[Any, Any]",
        from_addr: str | None = None,
        to_addrs: str | Sequence[str] | None = None,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> Refusals:
        """Submit a message object by ``sendmail``, its envelope worked out where it is not given; Bcc is not sent.

        Raises ``SMTPNotSupportedError`` where an address needs SMTPUTF8, and the server does not offer it.
        """
        self.ehlo_or_helo_if_needed()
        with told_alike():
            material = taken(msg, self._terms())
            envelope = Envelope(material.header)
            sender = envelope.sender() if from_addr is None else from_addr
            recipients = envelope.recipients() if to_addrs is None else to_addrs
        named = [sender, recipients] if isinstance(recipients, str) else [sender, *recipients]
        utf8 = material.utf8 or not all(address.rpartition("@")[0].isascii() for address in named)
        added = [*["SMTPUTF8"] * utf8, *["BODY=8BITMIME"] * (utf8 or bool(material.body))]
        given = {option.upper() for option in mail_options}
        options = (*mail_options, *(option for option in added if option not in given))
        return self.sendmail(sender, recipients, b"".join(material.content.plain()), options, rcpt_options)

    def quit(self) -> Answer:
        """Say QUIT, and close; return the reply."""
        found = self.docmd("quit")
        self._forget()
        self.close()
        return found

    def _path(self, word: str, address: str, options: Sequence[str]) -> str:
        """What stands behind MAIL or RCPT; a server from before RFC 1869 is told no options."""
        path = quoteaddr(address)
        local, at, domain = path[1:-1].rpartition("@")
        if self.command_encoding == "ascii" and at and local.isascii() and not domain.isascii():
            with told_alike():
                path = f"<{local}@{a_labels(domain)}>"
        return " ".join((f"{word}:{path}", *(options if self.does_esmtp else ())))

    def _use(self, options: Sequence[str]) -> None:
        """Write commands as *options* allow: in UTF-8 with SMTPUTF8 (RFC 6531 §3.4)."""
        utf8 = self.does_esmtp and any(option.upper() == "SMTPUTF8" for option in options)
        if utf8 and not self.has_extn("smtputf8"):
            raise NotOffered("expected a server that offers SMTPUTF8, got one without")
        self.command_encoding = "utf-8" if utf8 else "ascii"

    def _say(self, line: str, secret: str | None) -> Reply:
        """Say a line with something secret at its end; an empty first response is an equals sign (RFC 4954 §4)."""
        encoded = None if secret is None else b64encode(secret.encode()) or (b"=" if line else b"")
        words = [word for word in (line.encode(), encoded) if word]
        if encoded is not None:
            self._open.hide(encoded, self.password.encode())
        shown = line if encoded is None else f"{line} {HIDDEN}".lstrip()
        return self._run(self._open.exchange(b" ".join(words) + b"\r\n", shown=shown))

    def _begin_anew(self) -> None:
        """Say RSET where something was refused, so that what comes next begins anew."""
        with suppress(SMTPServerDisconnected):
            self.rset()
            self._open.unclear = False

    def _terms(self) -> Terms:
        known = {name: () for name in ("8BITMIME", "SMTPUTF8") if self.has_extn(name)}
        return Terms.of(Capabilities("", known), chunking=False)


class SMTP_SSL(SMTP):  # noqa: N801 - smtplib's name
    """An SMTP connection that begins with TLS; without a *context* the certificate is verified."""

    default_port = SMTP_SSL_PORT
    tls = TLSMode.IMPLICIT

    def __init__(  # noqa: PLR0913 - smtplib's own
        self,
        host: str = "",
        port: int | str = 0,
        local_hostname: str | None = None,
        *,
        timeout: object = DEFAULT,
        source_address: tuple[str, int] | None = None,
        context: SSLContext | None = None,
        keyfile: str | None = None,
        certfile: str | None = None,
    ) -> None:
        self.context = context or _context(keyfile, certfile)
        self._context = self.context
        super().__init__(host, port, local_hostname, timeout, source_address)


class LMTP(SMTP):
    """A connection to an LMTP server, on a port or, with a path for the host, on a unix socket.

    ``sendmail`` returns who the server refused after the message as well: each recipient has a verdict (RFC 2033 §4.2).
    """

    default_port = LMTP_PORT
    protocol = "lmtp"
    ehlo_msg = "lhlo"

    def __init__(
        self,
        host: str = "",
        port: int | str = 0,
        local_hostname: str | None = None,
        source_address: tuple[str, int] | None = None,
        timeout: object = DEFAULT,
    ) -> None:
        super().__init__(host, port, local_hostname, timeout, source_address)

    def _endpoint(self, host: str, port: int | str) -> Endpoint:
        return Endpoint("", 0, host) if host.startswith("/") else super()._endpoint(host, port)


def _octets(msg: str | bytes) -> bytes:
    """The message, each line of which ends with CRLF: smtplib would send bytes as they are (CVE-2023-51764)."""
    return with_line_ends(msg.encode("ascii") if isinstance(msg, str) else bytes(msg))


def _context(keyfile: str | None, certfile: str | None) -> SSLContext:
    with told_alike():
        return context_of(Trust(certificate=certfile or keyfile, key=keyfile))


def _bare(address: str) -> str:
    return parseaddr(address)[1] or address
