"""One connection from greeting to QUIT: each command to where it is served."""

from collections.abc import Callable, Mapping

from ninsho.testing.commands import LINE_LIMIT, MAIL_LIMIT, RCPT_LIMIT, RESPONSE_LIMIT, BadCommand, Command, read_hello
from ninsho.testing.conversation import Conversation
from ninsho.testing.login import Login
from ninsho.testing.stream import Gone
from ninsho.testing.transaction import Transactions

LIMITS = {"MAIL": MAIL_LIMIT, "RCPT": RCPT_LIMIT, "AUTH": RESPONSE_LIMIT}
# RFC 3207 §4: these are served before TLS, where it is required; BDAT, as its octets have to be taken.
IN_CLEAR = frozenset(("EHLO", "HELO", "LHLO", "STARTTLS", "NOOP", "RSET", "QUIT", "HELP", "BDAT"))


class Session:
    """The commands of one connection."""

    def __init__(self, conversation: Conversation) -> None:
        self._talk = conversation
        self._transactions = Transactions(conversation)
        self._login = Login(conversation)
        self._commands: Mapping[str, Callable[[str], None]] = {
            "STARTTLS": self._start_tls,
            "AUTH": self._auth,
            "MAIL": self._transactions.mail,
            "RCPT": self._transactions.rcpt,
            "DATA": self._transactions.data,
            "BDAT": self._transactions.bdat,
            "RSET": self._rset,
            "NOOP": lambda argument: self._say("NOOP", argument, 250, "2.0.0 Ok"),
            "VRFY": lambda argument: self._say("VRFY", argument, 252, "2.5.0 Send some mail and see"),
            "HELP": lambda argument: self._say("HELP", argument, 214, "2.0.0 RFC 5321"),
            "QUIT": lambda argument: self._say("QUIT", argument, 221, "2.0.0 Bye"),
            **dict.fromkeys(("EHLO", "HELO", "LHLO"), self._unknown),
            **self._hellos(),
        }

    def run(self) -> None:
        """Serve until the connection is over."""
        talk = self._talk
        try:
            if talk.options.tls == "implicit":
                self._shake_hands()
            greeting = "LMTP" if talk.options.protocol == "lmtp" else "ESMTP"
            if talk.answer("greeting", "", 220, f"{talk.options.hostname} {greeting} ninsho.testing") >= 400:
                talk.stream.finish()
            while True:
                self._obey(talk.stream.line())
        except Gone:
            pass
        finally:
            talk.stream.close()

    def _obey(self, line: bytes) -> None:
        talk = self._talk
        try:
            command = self._read(line)
        except BadCommand as bad:
            talk.violation(f"command line: {bad}")
            talk.answer("unknown", "", bad.code, bad.reply)
            return
        verb, argument = command
        if talk.options.require_tls and talk.stream.tls is None and verb not in IN_CLEAR:
            self._say(verb if verb in self._commands else "unknown", argument, 530, "5.7.0 Must issue a STARTTLS first")
        elif serve := self._commands.get(verb):
            serve(argument)
        else:
            self._unknown(argument)

    def _read(self, line: bytes) -> Command:
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise BadCommand("expected CRLF at its end, got a bare CR or LF", code=500, enhanced="5.5.2")
        command = Command.parse(line[:-2])
        limit = LIMITS.get(command.verb, LINE_LIMIT)
        if len(line) > limit:
            raise BadCommand(f"expected at most {limit} octets, got {len(line)}", code=500, enhanced="5.5.2")
        return command

    def _hellos(self) -> dict[str, Callable[[str], None]]:
        def hello(verb: str) -> Callable[[str], None]:
            return lambda argument: self._hello(verb, argument)

        # RFC 2033 §4.1: LMTP has LHLO, and neither of the others.
        verbs = ("LHLO",) if self._talk.options.protocol == "lmtp" else ("EHLO", "HELO")
        return {verb: hello(verb) for verb in verbs}

    def _hello(self, verb: str, argument: str) -> None:
        talk = self._talk
        try:
            name = read_hello(argument)
        except BadCommand as bad:
            talk.violation(f"{verb}: {bad}")
            # RFC 5321 §4.1.4: no reason to turn anybody away, as long as there is a name.
            if not argument or " " in argument:
                talk.answer(verb, argument, bad.code, bad.reply)
                return
            name = argument

        def greet() -> None:
            talk.hello, talk.extended = name, verb != "HELO"
            self._transactions.reset()

        offered = talk.offered() if verb != "HELO" else {}
        lines = [f"{keyword} {parameters}".rstrip() for keyword, parameters in offered.items()]
        talk.answer(verb, name, 250, talk.options.hostname, *lines, effect=greet)

    def _start_tls(self, argument: str) -> None:
        talk = self._talk
        if argument:
            talk.violation("STARTTLS: expected no argument")
            self._say("STARTTLS", argument, 501, "5.5.4 STARTTLS takes no argument")
        elif "STARTTLS" not in talk.offered():
            talk.violation("STARTTLS: it is not offered")
            self._say("STARTTLS", argument, 503 if talk.stream.tls else 502, "5.5.1 STARTTLS not offered")
        elif talk.answer("STARTTLS", "", 220, "2.0.0 Ready to start TLS") == 220:
            self._shake_hands()

    def _shake_hands(self) -> None:
        talk = self._talk
        certificate = talk.options.certificate
        if certificate is None:
            raise RuntimeError("expected a certificate for TLS, got none")
        talk.stream.start_tls(certificate.context)
        # RFC 3207 §4.2: whatever was learnt before TLS may have been forged.
        talk.hello, talk.extended = "", False
        talk.mechanism = talk.username = None
        self._transactions.reset()

    def _auth(self, argument: str) -> None:
        if not self._talk.hello:
            self._talk.violation("AUTH: expected EHLO first")
            self._say("AUTH", argument.partition(" ")[0], 503, "5.5.1 EHLO first")
            return
        self._login.auth(argument, in_transaction=self._transactions.open)

    def _rset(self, argument: str) -> None:
        self._talk.answer("RSET", argument, 250, "2.0.0 Ok", effect=self._transactions.reset)

    def _unknown(self, argument: str) -> None:
        self._say("unknown", argument, 500, "5.5.1 Command unrecognized")

    def _say(self, event: str, text: str, code: int, reply: str) -> None:
        self._talk.answer(event, text, code, reply)
