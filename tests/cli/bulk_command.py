"""``ninsho send --bulk`` with a list, a template and a mail server: fixtures, to be imported by the tests that use them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from command_line import Ended, Run

from ninsho.testing import MailServer

NEWS = "news@example.org"
LIST = "email,name,town\nann@example.net,安部,東京\nbob@example.net,馬場,大阪\n"
Send: TypeAlias = Callable[..., Ended]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMTP_URL", "SMTP_HOST", "SMTP_USER", "SMTP_USERNAME", "SMTP_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(LIST, encoding="utf-8")
    Path("mail.html").write_text("<p>{name}様、{town}のお知らせです。</p>", encoding="utf-8")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running
        assert running.violations == []


@pytest.fixture
def send(ninsho: Run, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> Send:
    monkeypatch.setenv("SMTP_URL", server.url)
    usual = ("send", "--template", "mail.html", "--from", NEWS)

    def command(*options: str, bulk: str = "people.csv", subject: str = "{name}様へ", ledger: str = "news.db") -> Ended:
        return ninsho(*usual, "--bulk", bulk, "--subject", subject, "--ledger", ledger, *options)

    return command
