"""What programs say by hand through smtplib's face to log in is shown to nobody."""

import logging
from base64 import b64encode, encodebytes

import pytest

from ninsho.like_smtplib import SMTP
from ninsho.testing import MailServer

TOKEN = "user=tim\1auth=Bearer ya29.a-very-long-token-of-somebodys\1\1"
ENCODED = b64encode(TOKEN.encode()).decode()


@pytest.fixture
def server():
    with MailServer(users={"tim": "tanstaaf"}, tokens={"ya29.a-very-long-token-of-somebodys": "tim"}) as running:
        yield running


@pytest.fixture
def smtp(server, caplog):
    caplog.set_level(logging.DEBUG, "ninsho.client")
    with SMTP("127.0.0.1", server.port) as connected:
        connected.ehlo()
        yield connected


@pytest.fixture(params=["log", "debug"])
def shown(request, smtp, capsys, caplog):
    """Return what was shown so far."""
    if request.param == "debug":
        smtp.set_debuglevel(1)
        return lambda: capsys.readouterr().err
    return lambda: caplog.text


def test_a_token_behind_auth(smtp, shown):
    assert smtp.docmd("AUTH", f"XOAUTH2 {ENCODED}")[0] == 235
    text = shown()
    assert "AUTH XOAUTH2 (hidden)" in text
    assert ENCODED not in text


@pytest.mark.parametrize(
    "line", [f"auth  xoauth2  {ENCODED}", f"AUTH\tXOAUTH2\t{ENCODED}", f"AUTH XOAUTH2 {ENCODED} x"]
)
def test_however_it_is_written(smtp, shown, line):
    smtp.send(f"{line}\r\n")
    smtp.getreply()
    assert ENCODED not in shown()


def test_answers_to_challenges(smtp, shown):
    name, password = b64encode(b"tim"), b64encode(b"tanstaaf")
    assert smtp.docmd("AUTH LOGIN")[0] == 334
    assert smtp.docmd(name.decode())[0] == 334
    assert smtp.docmd(password.decode())[0] == 235
    smtp.noop()
    text = shown()
    assert "AUTH LOGIN\n" in text
    assert "noop" in text
    assert password.decode() not in text
    assert name.decode() not in text


def test_a_reply_that_says_it_again(server, smtp, shown):
    server.fail("AUTH", 501, f"5.5.4 what is {ENCODED}?")
    assert smtp.docmd("AUTH", f"XOAUTH2 {ENCODED}")[0] == 501
    assert "what is (hidden)?" in shown()
    server.forgive()


def test_a_mechanism_of_ones_own_that_is_said_again(server, smtp):
    server.fail("AUTH", 535, f"5.7.8 {ENCODED}")
    with pytest.raises(OSError, match="535") as caught:
        smtp.auth("xoauth2", lambda _=None: TOKEN)
    assert ENCODED not in str(caught.value) + repr(caught.value)
    server.fail("AUTH", 535, "5.7.8 tanstaaf is wrong")
    smtp.user, smtp.password = "tim", "tanstaaf"
    server.forgive()
    server.fail("AUTH", 535, "5.7.8 tanstaaf is wrong")
    with pytest.raises(OSError, match="535") as caught:
        smtp.auth("plain", smtp.auth_plain)
    assert "tanstaaf" not in str(caught.value)


@pytest.mark.parametrize(
    ("command", "verb"),
    [
        (("AUTH", f"XOAUTH2 {encodebytes(TOKEN.encode()).decode()}"), "AUTH"),
        ((f"AUTH XOAUTH2 {ENCODED}\r\n",), "AUTH"),
        ((f"{ENCODED}\n",), "command"),
        ((f"AUTH XOAUTH2 {ENCODED}\0",), "AUTH"),
        (("mail", "FROM:<a>\r\nRSET"), "MAIL"),
    ],
)
def test_a_line_end_within(smtp, command, verb):
    with pytest.raises(ValueError, match=f"^{verb}: expected one line, got prohibited newline characters") as caught:
        smtp.docmd(*command)
    assert ENCODED[:20] not in repr(caught.value)


def test_what_cannot_be_written(smtp):
    with pytest.raises(ValueError, match="AUTH: expected ASCII") as caught:
        smtp.docmd("AUTH", "PLAIN sécret")
    assert "cret" not in repr(caught.value)
    smtp.docmd("AUTH", "LOGIN")
    with pytest.raises(ValueError, match="response: expected ASCII") as caught:
        smtp.docmd("sécret")
    assert "cret" not in repr(caught.value)
    smtp.docmd("*")
