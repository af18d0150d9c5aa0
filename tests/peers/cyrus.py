"""Cyrus SASL's sample client and server: base64 behind ``C:`` and ``S:``, a line a message."""

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

from known_users import REALM
from spoken import Spoken

CONFIGURATION = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\n"

# After how many challenges the client asks for the password; the others do at once.
ASKED_AFTER = {"LOGIN": 2, "CRAM-MD5": 1, "DIGEST-MD5": 1}

TRUSTED = "Negotiation complete"


def enrol(saslpasswd2: str, folder: Path, users: dict[str, str]) -> None:
    """Write the server's configuration and its users into *folder*."""
    database = folder / "sasldb2"
    (folder / "sample.conf").write_text(CONFIGURATION.format(database))
    for name, password in users.items():
        command = [saslpasswd2, "-p", "-c", "-f", str(database), "-u", REALM, name]
        subprocess.run(command, input=password.encode(), check=True, timeout=30)


class Sample(Spoken):
    """One of the two programs; ``letter`` stands before its own lines, ``other`` before ours."""

    letter = ""
    other = ""

    def __init__(self, program: str, mechanism: str, *options: str, folder: Path) -> None:
        # Into a pipe it would say nothing before its end.
        command = ["stdbuf", "-oL", program, "-s", "smtp", "-m", mechanism, *options]
        # No security layers: SMTP has TLS.
        super().__init__([*command, "-b", "max=0"], environment={"SASL_CONF_PATH": str(folder)})
        self.mechanism = mechanism

    def output(self) -> bytes | None:
        """Its next message; None where it says that it trusts us. Raises ``Refused``."""
        while not (line := self.line()).startswith(f"{self.letter}: "):
            if line == TRUSTED:
                return None
        return self._decoded(line)

    def _decoded(self, line: str) -> bytes:
        return b64decode(line.removeprefix(f"{self.letter}: "), validate=True)

    def send(self, message: bytes) -> None:
        self.say(f"{self.other}: {b64encode(message).decode()}")


class SampleClient(Sample):
    """``sasl-sample-client``."""

    letter, other = "C", "S"

    def __init__(self, program: str, mechanism: str, *options: str, username: str, password: str, folder: Path) -> None:
        authzid = () if "-u" in options else ("-u", username)
        super().__init__(program, mechanism, "-a", username, *authzid, "-n", REALM, *options, folder=folder)
        self.password = password
        self.challenges = 0

    def begin(self) -> bytes | None:
        self.send(self.mechanism.encode())
        self.give_password()
        name, separator, response = self.output().partition(b"\0")
        assert name.decode() == self.mechanism
        return response if separator else None

    def give_password(self) -> None:
        if self.challenges == ASKED_AFTER.get(self.mechanism, 0):
            self.say(self.password)

    def answer(self, challenge: bytes) -> bytes:
        self.send(challenge)
        self.challenges += 1
        self.give_password()
        return self.output()

    def conclude(self, data: bytes | None) -> None:
        if data is not None:
            self.send(data)
        while self.output() is not None:
            pass


class SampleServer(Sample):
    """``sasl-sample-server``, which tells by whose name it knows the client; ``-l``: last words come with success."""

    letter, other = "S", "C"

    def begin(self, mechanism: str, response: bytes | None) -> bytes | None:
        self.output()
        self.send(mechanism.encode() + (b"" if response is None else b"\0" + response))
        return self.output()

    def answer(self, response: bytes) -> bytes | None:
        self.send(response)
        return self.output()

    def last_words(self) -> bytes | None:
        """What comes with the success; ``username`` is known from here on."""
        data = None
        while not (line := self.line()).startswith("Username: "):
            if line.startswith("S: "):
                data = self._decoded(line)
        self.username = line.removeprefix("Username: ")
        return data
