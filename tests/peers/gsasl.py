"""GNU SASL's command line as a client and as a server: base64, a line a message."""

from base64 import b64decode, b64encode

from known_users import REALM
from spoken import Refused, Spoken

# What it would ask for otherwise.
COMMON = {
    "service": "smtp",
    "hostname": f"mail.{REALM}",
    "realm": "",
    "quality_of_protection": "qop-auth",
}

SERVER_FIRST = ("CRAM-MD5", "DIGEST-MD5")

TRUSTED = ("Client authentication finished", "Server authentication finished")


class Gsasl(Spoken):
    """``gsasl`` as a ``client`` or a ``server``; options go by its own names.

    *binding* is the type of a channel binding and its data, which it takes on its standard input when it needs them.
    """

    role = ""

    def __init__(
        self, program: str, mechanism: str, *, binding: tuple[str, bytes] | None = None, **options: str
    ) -> None:
        # It asks for the channel's data only where it knows of no host to connect to.
        options = options if binding else {**COMMON, **options}
        named = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        # What reads like asking for application data switches it off.
        super().__init__([program, f"--{self.role}", f"--mechanism={mechanism}", "--application-data", *named])
        self.mechanism = mechanism
        self.binding = binding

    def output(self) -> bytes | None:
        """Its next message; None where it says that it trusts us. Raises ``Refused``."""
        while not (line := self.line()).endswith(f"Output from {self.role}:"):
            if line.startswith(TRUSTED):
                return None
        return b64decode(self.line(), validate=True)

    def send(self, message: bytes) -> None:
        self.say(b64encode(message).decode())


class GsaslClient(Gsasl):
    """It logs in to us."""

    role = "client"

    def begin(self) -> bytes | None:
        if self.binding:
            kind, data = self.binding
            # It would rather have the exporter's, and asks for that first.
            if kind != "tls-exporter":
                self.say("")
            self.send(data)
        # It writes an empty message where it has none.
        response = self.output()
        return None if self.mechanism in SERVER_FIRST else response

    def answer(self, challenge: bytes) -> bytes:
        self.send(challenge)
        response = self.output()
        if response is None:
            raise Refused(f"it has finished before us: {self.transcript}")
        return response

    def conclude(self, data: bytes | None) -> None:
        if data is not None:
            self.answer(data)
        # The server's success is a line of its own.
        self.say("")
        if self.output() is not None:
            raise Refused(f"it wants to go on: {self.transcript}")


class GsaslServer(Gsasl):
    """It takes one password for everybody."""

    role = "server"

    def begin(self, mechanism: str, response: bytes | None) -> bytes | None:  # noqa: ARG002 - it was told before
        challenge = self.output()
        return challenge if response is None else self.answer(response)

    def answer(self, response: bytes) -> bytes | None:
        self.send(response)
        if self.binding:
            # It asks as soon as the client has named the type.
            self.send(self.binding[1])
            self.binding = None
        if (challenge := self.output()) != b"":
            return challenge
        # Its last message is empty, and it waits for one more of ours.
        self.say("")
        return self.output()

    def last_words(self) -> bytes | None:
        return None
