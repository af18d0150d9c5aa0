"""``ninsho.send``: words in, a message at the server, a receipt out."""

import pytest

import ninsho
from ninsho import Attachment, Client, Options
from ninsho.errors import ClientError
from ninsho.mail.content import SMALL
from ninsho.testing import MailServer


@pytest.fixture
def server():
    with MailServer(users={"hanako@example.jp": "secret"}) as server:
        yield server


def test_one_call_sends_a_letter(server, tmp_path):
    path = tmp_path / "見積書.pdf"
    path.write_bytes(b"%PDF")
    receipt = ninsho.send(
        server.url_for("hanako@example.jp"),
        to="山田太郎 <taro@example.jp>",
        bcc="archive@example.jp",
        subject="お知らせ",
        text="本文です。",
        attach=[path],
    )
    assert receipt.accepted == ("taro@example.jp", "archive@example.jp")
    [received] = server.messages
    assert (received.sender, received.message["From"]) == ("hanako@example.jp", "hanako@example.jp")
    assert (received.message["Subject"], received.message["Bcc"]) == ("お知らせ", None)
    assert [part.get_filename() for part in received.message.iter_attachments()] == ["見積書.pdf"]


def test_a_client_is_used_and_left_open(server):
    with Client(server.url_for("hanako@example.jp")) as client:
        for number in range(2):
            ninsho.send(client, to="taro@example.jp", subject=f"その{number}", text="x")
    assert [received.connection for received in server.messages] == [1, 1]


def test_large_files_are_read_while_they_are_sent(server, tmp_path, monkeypatch):
    small, large = tmp_path / "小.txt", tmp_path / "大.txt"
    small.write_text("小さい\n", encoding="utf-8")
    large.write_text("大きい\n" * SMALL, encoding="utf-8")
    # Whoever reads a file whole reads it so; a part that is streamed has its beginning at hand.
    whole = {small: small.read_bytes()}
    monkeypatch.setattr(Attachment, "octets", lambda file: whole[file.path] if file.data is None else file.data)
    ninsho.send(server.url_for("hanako@example.jp"), to="taro@example.jp", text="x", attach=[small, large])
    [received] = server.messages
    parts = list(received.message.iter_attachments())
    assert [part.get_filename() for part in parts] == ["小.txt", "大.txt"]
    assert [part.get_content_charset() for part in parts] == ["utf-8", "utf-8"]
    assert [part["Content-Type"].params["name"] for part in parts] == ["小.txt", "大.txt"]
    assert parts[1].get_payload(decode=True) == large.read_bytes()


class Stamp:
    """A signer that shows what it was given."""

    def sign(self, octets):
        assert b"Bcc" not in octets
        assert octets.count(b"\n") == octets.count(b"\r\n")
        return b"X-Stamp: seen\r\n" + octets


def test_what_is_signed_still_goes_to_blind_recipients(server):
    receipt = ninsho.send(
        server.url_for("hanako@example.jp"), to="t@example.jp", bcc="b@example.jp", text="本文", sign=[Stamp()]
    )
    assert receipt.accepted == ("t@example.jp", "b@example.jp")
    [received] = server.messages
    assert (received.message["X-Stamp"], received.message["Bcc"]) == ("seen", None)


def test_options_go_along(server):
    ninsho.send(server.url_for("hanako@example.jp"), to="t@example.jp", text="x", options=Options(notify={"FAILURE"}))
    assert server.messages[0].rcpt_parameters["t@example.jp"]["NOTIFY"] == "FAILURE"


def test_an_unknown_word_sends_nothing(server):
    with pytest.raises(TypeError, match="subjct"):
        ninsho.send(server.url_for("hanako@example.jp"), to="t@example.jp", subjct="x")
    with pytest.raises(ClientError, match="to: expected an address"):
        ninsho.send(server.url_for("hanako@example.jp"), to="t", text="x")
    assert server.talks == []


def test_the_environment_tells_the_server(server, monkeypatch):
    monkeypatch.setenv("SMTP_URL", server.url_for("hanako@example.jp"))
    assert ninsho.send(to="t@example.jp", text="x").ok


def test_the_envelope_can_be_told(server):
    receipt = ninsho.send(
        server.url_for("hanako@example.jp"),
        to="t@example.jp",
        text="x",
        envelope_from="bounces@example.jp",
        recipients=["archive@example.jp"],
    )
    assert receipt.accepted == ("archive@example.jp",)
    [received] = server.messages
    assert (received.sender, received.message["From"]) == ("bounces@example.jp", "hanako@example.jp")


@pytest.mark.parametrize("sign", [(), (Stamp(),)])
def test_who_sends_it_must_be_told(server, sign):
    authors = ["a@example.jp", "b@example.jp"]
    with pytest.raises(ClientError, match="expected Sender where From has several addresses"):
        ninsho.send(server.url_for("hanako@example.jp"), from_=authors, to="t@example.jp", text="x", sign=sign)
    assert server.messages == []
