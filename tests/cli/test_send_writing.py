"""``ninsho send``: how a message is written, signed and shown, as the options say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Run
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ninsho.testing import MailServer

FROM = "hanako@example.jp"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with MailServer(users={FROM: "secret"}) as running:
        monkeypatch.setenv("SMTP_URL", running.url_for(FROM))
        yield running


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "dkim.pem"
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def sent(ninsho: Run, server: MailServer, *options: str | Path, text: str = "本文①"):
    ended = ninsho("send", "--to", "山田 <taro@example.jp>", "--subject", "お知らせ", "--text", text, *options)
    assert (ended.status, ended.err) == (0, "")
    (received,) = server.messages
    return received


def test_the_charset_is_that_of_all(ninsho: Run, server: MailServer) -> None:
    received = sent(ninsho, server, "--charset", "iso-2022-jp")
    assert received.message.get_content_charset() == "iso-2022-jp"
    assert b"Subject: =?iso-2022-jp?B?" in received.content
    assert b"\x1b$BK\\J8-!\x1b(B" in received.content


def test_or_of_the_header_alone(ninsho: Run, server: MailServer) -> None:
    received = sent(ninsho, server, "--header-charset", "iso-2022-jp")
    assert b"Subject: =?iso-2022-jp?B?" in received.content
    assert received.message.get_content_charset() == "utf-8"


def test_what_the_charset_lacks_is_told_by_the_option(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("send", "--to", "t@example.jp", "--subject", "😀", "--text", "x", "--charset", "iso-2022-jp")
    assert ended.status == 2
    assert "--subject: cannot be written in iso-2022-jp: '😀'" in ended.err
    assert server.talks == []


def test_wishes_stand_in_the_header(ninsho: Run, server: MailServer) -> None:
    options = ("--priority", "high", "--unsubscribe", "https://example.jp/u", "--unsubscribe", "leave@example.jp")
    message = sent(ninsho, server, *options, "--auto-submitted", "auto-generated", "--in-reply-to", "<a@b>").message
    assert message["X-Priority"] == "1 (Highest)"
    assert message["List-Unsubscribe"] == "<mailto:leave@example.jp>, <https://example.jp/u>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (message["Auto-Submitted"], message["In-Reply-To"]) == ("auto-generated", "<a@b>")


def test_two_urls_to_leave_by_are_too_many(ninsho: Run, server: MailServer) -> None:
    options = ("--unsubscribe", "https://example.jp/u", "--unsubscribe", "https://example.jp/v")
    assert "--unsubscribe: expected one URL" in ninsho("send", "--to", "t@example.jp", "--text", "x", *options).err


def test_lines_are_wrapped(ninsho: Run, server: MailServer) -> None:
    message = sent(ninsho, server, "--wrap", "20", text="あいうえお" * 4).message
    assert message.get_content().split() == ["あいうえおあいうえお"] * 2


def test_images_of_a_folder_go_along(ninsho: Run, server: MailServer, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(PNG)
    message = sent(ninsho, server, "--html", "<img src='logo.png'>", "--images", tmp_path).message
    image = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert image.get_content() == PNG
    assert f"cid:{image['Content-ID'][1:-1]}" in message.get_body(("html",)).get_content()


def test_a_domain_signs(ninsho: Run, server: MailServer, key: Path) -> None:
    received = sent(
        ninsho,
        server,
        "--dkim-domain",
        "example.jp",
        "--dkim-selector",
        "s",
        "--dkim-key",
        key,
        "--bcc",
        "b@example.jp",
    )
    assert received.recipients == ("taro@example.jp", "b@example.jp")
    assert received.message["DKIM-Signature"].startswith("v=1; a=rsa-sha256;")


def test_half_a_signature_is_none(ninsho: Run, server: MailServer, key: Path) -> None:
    ended = ninsho("send", "--to", "t@example.jp", "--text", "x", "--dkim-key", key)
    assert ended.status == 2
    assert "expected --dkim-domain and --dkim-selector as well" in ended.err


def test_a_preview_is_a_page_that_loads_nothing(
    ninsho: Run, server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "logo.png").write_bytes(PNG)
    html = "<script>alert(1)</script><p>こんにちは<img src='logo.png'>"
    options = ("--html", html, "--images", tmp_path, "--attach", tmp_path / "logo.png", "--dry-run", "--open")
    ended = ninsho("send", "--to", "山田 <taro@example.jp>", "--subject", "<b>お知らせ</b>", *options)
    assert ended.status == 0
    file, page = map(Path, ended.out.splitlines())
    assert file.read_bytes().startswith(b"From: hanako@example.jp\r\n")
    assert opened == [page.as_uri()]
    shown = page.read_text(encoding="utf-8")
    assert "<script>" not in shown
    assert "<h1>&lt;b&gt;お知らせ&lt;/b&gt;</h1>" in shown
    assert "logo.png: image/png, 40 octets" in shown
    assert re.search(r"<iframe sandbox srcdoc=", shown)
    assert "data:image/png;base64," in shown
    assert server.talks == []


def test_a_preview_wants_a_dry_run(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("send", "--to", "t@example.jp", "--text", "x", "--open")
    assert ended.status == 2
    assert "--open: expected --dry-run" in ended.err
