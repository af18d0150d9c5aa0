"""The demonstration with a real Postfix between the mail client and ninsho."""

import time
from collections import Counter
from pathlib import Path

from ninsho import Client
from ninsho.cli.demo.letter import FILE, OCTETS, SUBJECT, TEXT, letter, on_the_wire, shown
from ninsho.cli.demo.program import ThrowawayNinsho
from ninsho.cli.demo.site import MECHANISMS, Site, User
from ninsho.cli.demo.stage import Stage
from ninsho.cli.demo.submission import StepByStep, deliver, settings_for
from ninsho.cli.passwords import generate
from ninsho.cli.throwaway import DOMAIN, ThrowawayPostfix
from ninsho.client.settings import Settings
from ninsho.mail.reading import read

SOCKET = "private/ninsho"
# The user of the first test that there ever was.
FIRST_USER = "hogehoge"
MANY = 200
WRONG = generate()


def postfix_for_demo() -> ThrowawayPostfix:
    """Return a Postfix that asks ninsho, and writes into each message who has sent it."""
    return ThrowawayPostfix(sasl_path=SOCKET, extra_main={"smtpd_sasl_authenticated_header": "yes"})


class OverSmtp:
    """The scenes; *folder* is a place for the site's files."""

    def __init__(self, postfix: ThrowawayPostfix, folder: Path, stage: Stage) -> None:
        self._postfix = postfix
        self._stage = stage
        self._delivered: Counter[str] = Counter()
        socket = postfix.queue_directory / SOCKET
        self._site = Site(folder, socket, owner=socket.parent.owner())

    def play(self) -> None:
        """Play all scenes; the last one is the project's first test."""
        site, stage = self._site, self._stage
        stage.heading("Two users")
        site.add_users(stage)
        with ThrowawayNinsho(site) as ninsho:
            for mechanism in ("PLAIN", "LOGIN"):
                self._mail_by(mechanism, site.alice)
            for mechanism in ("SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5"):
                self._mail_by(mechanism, site.bob)
            self._mail_by("OREORE", User(FIRST_USER))
            self._letter(site.bob)
            self._wrong_password()
            stage.heading("What ninsho wrote about it")
            stage.remark(*ninsho.decisions())
            self._many()
            stage.heading("ninsho is stopped in the middle: nobody is told that a password is wrong")
            client = self._step_by_step("PLAIN", site.alice)
            client.greet()
        with client:
            stage.expect("AUTH without ninsho", 454, client.log_in())
        with ThrowawayNinsho(site):
            self._first_test()

    def _mail_by(self, mechanism: str, user: User) -> None:
        self._stage.heading(f"{user.name} logs in by {mechanism} and sends a message")
        (receipt,) = deliver(self._settings(mechanism, user), self._stage, f"sent by {mechanism}")
        self._stage.expect(f"the receipt of {mechanism}", (mechanism, True), (receipt.via.mechanism, receipt.ok))
        self._delivered[user.name] += 1
        message = self._postfix.wait_for_mail(user.name, count=self._delivered[user.name])[-1].decode()
        told = [line.strip() for line in message.splitlines() if line.startswith("Subject:") or "sender:" in line]
        self._stage.remark(f"in the mailbox of {user.name}: {' '.join(told)}")
        self._stage.expect(
            f"the message by {mechanism}",
            [f"(Authenticated sender: {user.name})", f"Subject: sent by {mechanism}"],
            told,
        )

    def _letter(self, user: User) -> None:
        self._stage.heading("A letter in Japanese, with a file, in ISO-2022-JP")
        settings = self._settings("SCRAM-SHA-256", user)
        with Client(settings) as client:
            receipt = client.send(letter(f"{user.name}@{DOMAIN}"))
        self._stage.expect("the receipt of the letter", True, receipt.ok)
        self._delivered[user.name] += 1
        octets = self._postfix.wait_for_mail(user.name, count=self._delivered[user.name])[-1]
        self._stage.remark("as it was sent:", *on_the_wire(octets), "", "as it is read:")
        mail = read(octets)
        self._stage.remark(*shown(mail))
        (file,) = mail.attachments
        self._stage.expect(
            "the letter", (SUBJECT, TEXT, FILE, OCTETS), (mail.subject, mail.text, file.filename, file.data)
        )

    def _wrong_password(self) -> None:
        self._stage.heading("A wrong password")
        with self._step_by_step("PLAIN", User(self._site.alice.name, WRONG)) as client:
            client.greet()
            self._stage.expect("what Postfix offers", tuple(MECHANISMS), client.mechanisms)
            self._stage.expect("AUTH with a wrong password", 535, client.log_in())
            client.quit()

    def _many(self) -> None:
        self._stage.heading(f"{MANY} messages on one connection, several on their way at once")
        quiet = Stage(quiet=True)
        subjects = [f"number {number}" for number in range(MANY)]
        begin = time.monotonic()
        receipts = deliver(self._settings("SCRAM-SHA-256", self._site.bob), quiet, *subjects)
        seconds = time.monotonic() - begin
        self._stage.remark(
            f"{len(receipts)} receipts in {seconds:.2f} s, the last one's queue id {receipts[-1].queue_id}"
        )
        self._stage.expect(
            "messages accepted, each under a name of its own", MANY, len({one.queue_id for one in receipts})
        )

    def _first_test(self) -> None:
        self._stage.heading("ninsho is back: the first test")
        # Without QUIT: these lines are the last ones.
        with self._step_by_step("OREORE", User(FIRST_USER), brief=False) as client:
            client.greet()
            self._stage.expect("AUTH OREORE", 235, client.say_a_name("OREORE", FIRST_USER))

    def _step_by_step(self, mechanism: str, user: User, *, brief: bool = True) -> StepByStep:
        return StepByStep(self._settings(mechanism, user), self._stage, brief=brief)

    def _settings(self, mechanism: str, user: User) -> Settings:
        return settings_for(self._postfix.port, user.name, user.password, mechanism)
