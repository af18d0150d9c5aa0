"""Addresses with dots where RFC 5321 has none, raw and quoted, through servers that are not ours, and ours for tests."""

from collections.abc import Callable
from secrets import token_hex

import pytest
from mail_server import USER, MailServer
from test_real_submission import both_kinds, login, place, submit

from ninsho import AsyncClient, Client
from ninsho.cli.throwaway import DOMAIN
from ninsho.mail.message import Submission
from ninsho.testing import MailServer as PretendServer

SUBJECT = b"Subject: dots\r\n\r\nhello\r\n"


def dotted() -> list[str]:
    """Addresses that nobody else writes to, of the kinds that carriers gave out."""
    name = token_hex(6)
    return [f"a..{name}@{DOMAIN}", f"a.{name}.@{DOMAIN}", f".{name}@{DOMAIN}", f"a..-_-..{name}-@{DOMAIN}"]


@both_kinds
@pytest.mark.parametrize("form", ["raw", "quoted"])
def test_57_postfix_takes_both_forms_for_the_same_mailbox(
    start_mail_server: Callable[[str], MailServer], form: str, kind: type
) -> None:
    server, addresses = start_mail_server("postfix+cyrus"), dotted()
    [receipt] = submit(kind, [Submission(SUBJECT, USER, addresses)], **place(server), **login(server), dotted=form)
    assert receipt.ok
    assert receipt.accepted == tuple(addresses)
    for address in addresses:
        # Postfix reads them alike, and writes the local part in quotes in what it adds.
        [message] = server.arrived('"{}"@{}'.format(*address.split("@")))
        assert (message.sender, message.message) == (USER, SUBJECT)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("form", ["raw", "quoted"])
def test_57_the_server_for_tests_hears_what_was_told(form: str, kind: type) -> None:
    with PretendServer() as server:
        [receipt] = submit(
            kind,
            [Submission(SUBJECT, ".a@ezweb.ne.jp", ["Taro <a..b@docomo.ne.jp>"])],
            host="127.0.0.1",
            port=server.port,
            tls="none",
            dotted=form,
        )
        [message] = server.messages
        heard = b"".join(talk.heard for talk in server.talks)
    assert receipt.accepted == ("a..b@docomo.ne.jp",)
    assert server.violations == []
    local = '"a..b"' if form == "quoted" else "a..b"
    sender = '".a"' if form == "quoted" else ".a"
    assert f"MAIL FROM:<{sender}@ezweb.ne.jp>".encode() in heard
    assert f"RCPT TO:<{local}@docomo.ne.jp>".encode() in heard
    assert message.recipients == (f"{local}@docomo.ne.jp",)
