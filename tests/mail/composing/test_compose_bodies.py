"""The texts of a composed message, in charsets and encodings that are not the usual ones."""

from email import message_from_bytes, policy

import pytest

from ninsho import Charsets, compose, render
from ninsho.mail.charsets.charset import charset
from ninsho.mail.unsendable import Unsendable

WIDE = ["utf-16", "utf-16le", "utf-32", "cp037"]
TEXT = "abc\n\ndef \u0a0d ġ\n"


def octets_of(**words):
    return render(compose(**{"from_": "花子 <a@example.jp>", "to": "b@example.jp"} | words))


def text_of(name):
    return TEXT if name.startswith("utf") else "abc\n\ndef ~\n"


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("encoding", ["auto", "base64"])
def test_73_where_a_line_end_is_none_to_others_it_stays_what_it_is(name, encoding):
    octets = octets_of(text=text_of(name), charset=name, encoding=encoding)
    message = message_from_bytes(octets, policy=policy.default)
    assert message["Content-Transfer-Encoding"] == "base64"
    read = charset(message.get_content_charset()).decode(message.get_payload(decode=True))
    assert read.removeprefix("\ufeff") == text_of(name).replace("\n", "\r\n")


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("encoding", ["7bit", "8bit", "quoted-printable"])
def test_73_and_nothing_else_carries_it(name, encoding):
    with pytest.raises(Unsendable, match=f"encoding: expected base64 for a text in {charset(name)}, got {encoding}"):
        octets_of(text=text_of(name), charset=name, encoding=encoding)


@pytest.mark.parametrize("name", WIDE)
def test_72_header_and_names_are_in_utf_8_then(name):
    words = {"subject": "お知らせ" * 20, "attach": {"見積書" * 20 + ".pdf": b"%PDF"}}
    message = message_from_bytes(octets_of(text="x", charset=name, **words), policy=policy.default)
    [part] = message.iter_attachments()
    assert message["Subject"] == words["subject"]
    assert part.get_filename() == part["Content-Type"].params["name"] == "見積書" * 20 + ".pdf"
    octets = octets_of(text="x", charset=Charsets(header=name, names=name), **words)
    assert b"=?utf-8?B?" in octets
    assert b"filename*0*=utf-8''" in octets


def test_an_encoding_that_there_is_not_is_refused_whatever_the_charset():
    with pytest.raises(Unsendable, match="encoding: expected one of auto, 7bit"):
        octets_of(text="x", charset="utf-16", encoding="binary")


@pytest.mark.parametrize("encoding", ["7bit", "8bit"])
def test_what_stands_against_an_encoding_is_named(encoding):
    with pytest.raises(Unsendable, match=f"text: expected text without NUL for the encoding {encoding}, got some"):
        octets_of(text="a\0b", encoding=encoding)


def test_79_a_calendar_that_is_no_utf_8_is_refused(tmp_path):
    path = tmp_path / "event.ics"
    path.write_bytes("METHOD:REQUEST\nSUMMARY:会議\n".encode("shift_jis"))
    for calendar in (path, path.read_bytes()):
        with pytest.raises(Unsendable, match=r"calendar: expected UTF-8, got b'\\x89'"):
            octets_of(text="x", calendar=calendar)
