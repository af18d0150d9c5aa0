"""The demonstration with a real Postfix between the mail client and ninsho."""

from collections import Counter
from pathlib import Path

from ninsho.cli.demo.program import ThrowawayNinsho
from ninsho.cli.demo.site import MECHANISMS, Site, User
from ninsho.cli.demo.smtp import Client
from ninsho.cli.demo.stage import Stage
from ninsho.cli.throwaway import DOMAIN, ThrowawayPostfix

SOCKET = "private/ninsho"
# The user of the first test that there ever was.
FIRST_USER = "hogehoge"


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
            self._wrong_password()
            stage.heading("What ninsho wrote about it")
            stage.remark(*ninsho.decisions())
            stage.heading("ninsho is stopped in the middle: nobody is told that a password is wrong")
            client = self._greeted()
        stage.expect("AUTH without ninsho", 454, client.log_in("PLAIN", site.alice.name, site.alice.password))
        client.close()
        with ThrowawayNinsho(site):
            self._first_test()

    def _mail_by(self, mechanism: str, user: User) -> None:
        self._stage.heading(f"{user.name} logs in by {mechanism} and sends a message")
        client = self._greeted()
        self._stage.expect(f"AUTH {mechanism}", 235, client.log_in(mechanism, user.name, user.password))
        client.deliver(f"{user.name}@{DOMAIN}", subject=f"sent by {mechanism}")
        client.quit()
        self._delivered[user.name] += 1
        message = self._postfix.wait_for_mail(user.name, count=self._delivered[user.name])[-1].decode()
        told = [line.strip() for line in message.splitlines() if line.startswith("Subject:") or "sender:" in line]
        self._stage.remark(f"in the mailbox of {user.name}: {' '.join(told)}")
        self._stage.expect(
            f"the message by {mechanism}",
            [f"(Authenticated sender: {user.name})", f"Subject: sent by {mechanism}"],
            told,
        )

    def _wrong_password(self) -> None:
        self._stage.heading("A wrong password")
        client = self._greeted()
        self._stage.expect("AUTH with a wrong password", 535, client.log_in("PLAIN", self._site.alice.name, "wrong"))
        client.quit()

    def _first_test(self) -> None:
        self._stage.heading("ninsho is back: the first test")
        client = self._greeted(brief=False)
        self._stage.expect("AUTH OREORE", 235, client.log_in("OREORE", FIRST_USER))
        # Without QUIT: these lines are the last ones.
        client.close()

    def _greeted(self, *, brief: bool = True) -> Client:
        """Connect and say EHLO, which is when Postfix connects to ninsho."""
        client = Client(self._postfix.port, self._stage, brief=brief)
        client.ehlo()
        self._stage.expect("EHLO", " ".join(MECHANISMS), client.esmtp_features.get("auth", "").strip())
        return client
