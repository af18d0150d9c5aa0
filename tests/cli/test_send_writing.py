"""``ninsho send``: how a message is written, signed and shown, as the options say."""

import re
from base64 import b64encode
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from command_line import Run
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ninsho.cli.send.picture import picture
from ninsho.mail.reading import Attached, Mail
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


def test_an_invitation_that_is_not_there_is_told_by_the_option(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("send", "--to", "t@example.jp", "--text", "x", "--calendar", "/nope.ics")
    assert (ended.status, ended.err) == (
        2,
        "ninsho: --calendar: /nope.ics: cannot be read: No such file or directory\n",
    )


def test_a_key_that_is_not_there_is_told_by_the_option(ninsho: Run, server: MailServer) -> None:
    signing = ("--dkim-domain", "example.jp", "--dkim-selector", "s", "--dkim-key", "/nope")
    ended = ninsho("send", "--to", "t@example.jp", "--text", "x", *signing)
    assert ended.status != 0
    assert ended.err == "ninsho: --dkim-key: /nope: cannot be read: No such file or directory\n"
    assert server.talks == []


def test_a_field_may_name_an_address_of_any_script(ninsho: Run, server: MailServer) -> None:
    assert sent(ninsho, server, "--header", "Reply-To: あ@example.jp").message["Reply-To"] == "あ@example.jp"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--priority", "high"), "X-Priority"),
        (("--unsubscribe", "https://example.jp/u"), "List-Unsubscribe"),
        (("--auto-submitted", "auto-generated"), "Auto-Submitted"),
    ],
)
def test_a_field_is_told_by_one_option(ninsho: Run, server: MailServer, options: tuple[str, ...], name: str) -> None:
    ended = ninsho("send", "--to", "t@example.jp", "--text", "x", *options, "--header", f"{name}: x")
    assert (ended.status, server.talks) == (2, [])
    assert f"--header: {name}: expected a field that no other option has told" in ended.err


def test_a_field_without_a_fit_name_is_told_by_the_option(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("send", "--to", "t@example.jp", "--text", "x", "--header", f"{'X' * 99}: x")
    assert "--header: expected the name of a header field, got" in ended.err


def shown(html: str, *names: str) -> str:
    """The HTML as the preview shows it, with images that have these Content-IDs and hold them."""
    images = tuple(Attached("a.png", "image/png", name.encode(), name) for name in names)
    page = picture(Mail(html=html, attachments=images))
    found = re.search(r'<iframe sandbox srcdoc="([^"]*)">', page)
    assert found
    return unescape(found[1]).partition(">")[2]


def url_of(name: str) -> str:
    return f"data:image/png;base64,{b64encode(name.encode()).decode()}"


def test_images_are_shown_where_they_are_named() -> None:
    html = "<img src='cid:ab'><img src=cid:a><td background='CID:a%40b'><p>cid:a <img alt='cid:a' src='cid:none'>"
    expected = f"<img src='{url_of('ab')}'><img src={url_of('a')}><td background='{url_of('a@b')}'>"
    assert shown(html, "a", "ab", "a@b") == f"{expected}<p>cid:a <img alt='cid:a' src='cid:none'>"


def test_a_preview_calls_nobody() -> None:
    html = (
        "a<link rel=dns-prefetch href=//x.example>b<LINK rel=preconnect href='//y.example' />c<!--[if x]><link href=z>"
    )
    assert shown(html) == "abc<!--[if x]>"
