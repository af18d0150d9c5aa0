"""Files to send along: whatever shape they are told in, nothing goes but what was named, under a name that harms nobody."""

import io
import os
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from ninsho import Attachment, Charsets, compose, render
from ninsho.mail.attachments import StreamedMessage
from ninsho.mail.composing.large import composed as composed_for_sending
from ninsho.mail.content import SMALL
from ninsho.mail.unsendable import Unsendable

PNG = b"\x89PNG\r\n\x1a\n"


def parts(**words):
    words = {"from_": "a@example.jp", "to": "b@example.jp", "text": "本文\n"} | words
    return list(message_from_bytes(render(compose(**words)), policy=policy.default).iter_attachments())


def files(**words):
    return [(part.get_filename(), part.get_payload(decode=True)) for part in parts(**words)]


# How they are told.


@pytest.mark.parametrize(
    "attach",
    [
        {"a.csv": b"data"},
        {"a.csv": "data"},
        {"a.csv": bytearray(b"data")},
        {"a.csv": memoryview(b"data")},
        ("a.csv", b"data"),
        [("a.csv", b"data")],
        iter([("a.csv", b"data")]),
        Attachment(data="data", filename="a.csv"),
        Attachment(data=b"data", filename="a.csv"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_83_what_is_given_goes_and_no_file_of_that_name(attach, tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("secret")
    monkeypatch.chdir(tmp_path)
    assert files(attach=attach) == [("a.csv", b"data")]


def test_two_texts_are_two_paths(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    told = (str(tmp_path / "a.txt"), str(tmp_path / "b.txt"))
    assert files(attach=told) == [("a.txt", b"a.txt"), ("b.txt", b"b.txt")]
    assert files(attach=iter(told)) == files(attach=told)


@pytest.mark.parametrize(
    ("attach", "found"),
    [
        (b"data", "bytes"),
        ([b"data"], "bytes"),
        (bytearray(b"data"), "bytearray"),
        (io.StringIO("/etc/hostname"), "an open file"),
        ([io.BytesIO(b"/etc/hostname")], "an open file"),
        (5, "int"),
        ([("a.csv", "data")], "tuple"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_83_what_names_no_file_is_a_type_error(attach, found):
    with pytest.raises(TypeError, match=rf"attach: expected a path, an Attachment, or \{{name: octets\}}, got {found}"):
        parts(attach=attach)


def test_83_the_lines_of_an_open_file_are_no_paths(tmp_path):
    (tmp_path / "upload.txt").write_text("/etc/hostname\n")
    with (tmp_path / "upload.txt").open() as file, pytest.raises(TypeError, match="got an open file"):
        parts(attach=file)


@pytest.mark.parametrize("data", [5, io.BytesIO(b"x"), ["x"]], ids=lambda given: type(given).__name__)
def test_data_is_octets_or_text(data):
    with pytest.raises(TypeError, match="expected an attachment with data of bytes or text, got"):
        Attachment(data=data, filename="a.txt")


@pytest.mark.parametrize("path", [b"a.txt", 5, Path], ids=lambda given: type(given).__name__)
def test_a_path_is_one(path):
    with pytest.raises(TypeError, match="expected an attachment with the path of a file, got"):
        Attachment(path)


def test_text_is_written_in_its_charset():
    told = [Attachment(data="日本", filename="a.txt"), Attachment(data="日本", filename="b.txt", charset="shift_jis")]
    first, second = parts(attach=told)
    assert (first.get_content_charset(), first.get_content()) == ("utf-8", "日本")
    assert (second.get_content_charset(), second.get_payload(decode=True)) == ("shift_jis", "日本".encode("cp932"))
    with pytest.raises(Unsendable, match="attach: cannot be written in shift_jis: '😀'"):
        parts(attach=Attachment(data="😀", filename="a.txt", charset="shift_jis"))
    with pytest.raises(Unsendable, match="attach: expected the name of a charset"):
        parts(attach=Attachment(data=b"x", filename="a.txt", charset="bogus"))


# Where they are.


def test_what_has_no_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", "/dev/zero", tmp_path):
        with pytest.raises(Unsendable, match=f"attach: {path}: expected a regular file, got something else"):
            parts(attach=path)
    with pytest.raises(Unsendable, match=r"calendar: .*fifo: expected a regular file"):
        parts(calendar=tmp_path / "fifo")


def test_an_empty_path_is_none():
    with pytest.raises(Unsendable, match="attach: expected the path of a file, got an empty one"):
        parts(attach="")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(Unsendable, match=r"attach: .*/none: cannot be read: No such file"):
        parts(attach=tmp_path / "none")
    with pytest.raises(Unsendable, match=r"calendar: .*/none: cannot be read: No such file"):
        parts(calendar=tmp_path / "none")


# What they are called.


@pytest.mark.parametrize("name", ["..", ".", "a/..", "", "/", "photo\u202egpj.exe", "a\u2066b", "a\0b", "a\u2028b"])
def test_74_a_name_that_may_harm_is_refused(name):
    with pytest.raises(Unsendable, match="attach: expected a file name of printable characters, got"):
        parts(attach={name: b""})


def test_74_marks_that_turn_nothing_about_are_letters_to_some():
    assert files(attach={"گزارش\u200c\u200f.pdf": b""}) == [("گزارش\u200c\u200f.pdf", b"")]


def test_74_a_backslash_on_this_system_leads_nowhere_on_another(tmp_path):
    (tmp_path / "..\\..\\evil.exe").write_bytes(b"MZ")
    assert files(attach=tmp_path / "..\\..\\evil.exe") == [(".._.._evil.exe", b"MZ")]


def test_74_a_name_has_an_end():
    with pytest.raises(Unsendable, match=r"attach: expected a file name of at most 255 characters, got 'ああ"):
        parts(attach={"あ" * 100_000: b""})
    assert files(attach={"😀" * 255: b""}) == [("😀" * 255, b"")]


def test_74_two_characters_may_be_one_of_a_charset():
    [part] = parts(attach={"か\u309a.txt": b""}, charset=Charsets(names="shift_jis-2004"))
    assert part.get_filename() == "か\u309a.txt"


# What HTML calls them.


@pytest.mark.parametrize("told", ["logo@example.jp", "<logo@example.jp>"])
def test_79_a_content_id_is_told_with_brackets_or_without(told):
    image = Attachment(data=PNG, filename="a.png", content_id=told)
    octets = render(compose(from_="a@b.jp", html="<img src='cid:logo@example.jp'>", text="x", attach=image))
    assert b"Content-ID: <logo@example.jp>\r\n" in octets


@pytest.mark.parametrize("told", ["", "<>", "a b", "a>\r\nX: y", "あ", "a\0", "x" * 999, 5], ids=ascii)
def test_76_what_can_be_no_content_id_is_refused(told):
    with pytest.raises(Unsendable, match="attach: expected a Content-ID such as"):
        compose(from_="a@b.jp", text="x", attach=Attachment(data=PNG, filename="a.png", content_id=told))


def test_79_no_two_images_have_one_content_id():
    images = [Attachment(data=PNG, filename=name, content_id=cid) for name, cid in (("a.png", "a"), ("b.png", "<a>"))]
    with pytest.raises(Unsendable, match="attach: expected a Content-ID for each image, got 'a' twice"):
        compose(from_="a@b.jp", text="x", html="<img src='cid:a'>", attach=images)


# What they are.


@pytest.mark.parametrize(
    "told", ['text/plain; name="x', "text/plain;", "text/plain; a", "text/plain; a=b c", "text/plain; =b", "text"]
)
def test_76_a_content_type_is_a_whole_one(told):
    with pytest.raises(Unsendable, match="attach: expected a content type such as text/plain, got"):
        parts(attach=Attachment(data=b"x", filename="a.txt", content_type=told))


def test_74_the_name_is_told_once():
    told = 'image/png; name=evil.exe; x-unix-mode="06\\"44"; Name*0*=utf-8\'\'evil; name*=x'
    [part] = parts(attach=Attachment(data=PNG, filename="見積書.png", content_type=told))
    assert dict(part["Content-Type"].params) == {"x-unix-mode": '06"44', "name": "見積書.png"}


def test_a_message_is_attached_as_one():
    inner = compose(
        from_="花子 <h@example.jp>", to="t@example.jp", bcc="b@example.jp", subject="お知らせ", text="本文\n"
    )
    [part] = parts(attach=inner)
    assert (part.get_content_type(), part["Content-Transfer-Encoding"]) == ("message/rfc822", "7bit")
    assert part.get_filename() == "message.eml"
    assert part.get_content()["Subject"] == "お知らせ"
    assert part.get_content().get_content() == "本文\r\n"
    assert part.get_content()["Bcc"] is None


def test_a_message_of_the_library_is_one_too():
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "お知らせ", "a@example.jp"
    inner.set_content("日本語\n", cte="8bit")
    [part] = parts(attach=[inner])
    assert part.get_content().get_content() == "日本語\r\n"


@pytest.mark.parametrize(
    ("told", "data", "expected"),
    [
        ("message/rfc822", b"Subject: x\n\ny\n", "message/rfc822"),
        ("Message/RFC822; x=y", b"Subject: x\r\n\r\ny\r\n", "message/rfc822"),
        ("message/rfc822", "Subject: x\n\nあ\n".encode(), "application/octet-stream"),
        ("message/rfc822", b"Subject: x\n\n" + b"y" * 999, "application/octet-stream"),
        ("message/delivery-status", b"x: y\n", "application/octet-stream"),
        (None, b"Subject: x\n\ny\n", "application/octet-stream"),
    ],
)
def test_octets_are_a_message_where_that_is_told_and_may_be(told, data, expected):
    [part] = parts(attach=Attachment(data=data, filename="a.eml", content_type=told))
    assert part.get_content_type() == expected
    if expected == "message/rfc822":
        assert (part.get_content()["Subject"], part.get_content().get_payload().strip()) == ("x", "y")
    else:
        assert part.get_payload(decode=True) == data


def test_no_line_of_a_message_within_ends_with_a_bare_line_feed():
    message = compose(from_="a@example.jp", text="x", attach=compose(from_="b@example.jp", text="y"))
    octets = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    assert octets.count(b"\n") == octets.count(b"\r\n")


# Large ones.


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(SMALL + 1))
    return path


def test_a_large_file_waits_behind_a_text(large):
    assert isinstance(composed_for_sending(from_="a@example.jp", text="x", attach=iter([large])), StreamedMessage)


def test_a_file_alone_is_the_message_whatever_its_size(large):
    message = composed_for_sending(from_="a@example.jp", attach=iter([large]))
    assert message.get_content_type() == "application/octet-stream"


def test_a_large_message_is_one(large):
    large.write_bytes(b"Subject: x\n\n" + b"line\n" * SMALL)
    message = composed_for_sending(
        from_="a@example.jp", text="x", attach=Attachment(large, content_type="message/rfc822")
    )
    assert [part.get_content_type() for part in message.iter_attachments()] == ["message/rfc822"]
