"""What the pre-rendered template makes is what compose() makes of the same words, whatever the values are."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ninsho.mail.charsets.detection import decoded
from ninsho.mail.composing.compose import compose
from ninsho.mail.composing.render import render
from ninsho.mail.merging.merge import Merge
from ninsho.mail.message import EVERYTHING, Preparer
from ninsho.mail.unsendable import Unsendable

WORDS = {
    "from_": "お店 <shop@example.jp>",
    "to": "{name} <{email}>",
    "subject": "【お知らせ】{name}様へ",
    "text": "{name}様\n\nいつもありがとうございます。\n番号は {id} です。\n",
}
ROW = {"name": "山田太郎", "email": "taro@example.jp", "id": "7"}


def octets_of(submission):
    prepared = Preparer(EVERYTHING, chunking=True).prepare(submission)
    return b"".join(prepared.content.plain())


def leaves(message):
    for part in message.walk():
        if not part.is_multipart():
            octets = part.get_payload(decode=True)
            if part.get_content_maintype() == "text":
                octets = decoded(octets, declared=part.get_content_charset()).replace("\r\n", "\n").rstrip("\n")
            yield part.get_content_type(), part.get_filename(), octets


def read(octets):
    message = message_from_bytes(octets, policy=policy.default)
    fields = [
        (
            name,
            [(one.display_name, one.addr_spec) for one in value.addresses]
            if name in ("To", "From", "Reply-To")
            else value,
        )
        for name, value in message.items()
        if name not in ("Date", "Message-ID", "Content-Type", "Content-Transfer-Encoding")
    ]
    return fields, list(leaves(message))


PIECES = st.lists(
    st.sampled_from(
        [
            "{name}",
            "{id}",
            "{other}",
            "お知らせ。",
            "Hello ",
            "\n",
            " ",
            "①髙～",
            "Grüße",
            "長い" * 300,
            "x" * 70,
            "=?",
            "%",
            ".",
        ]
    ),
    max_size=12,
).map("".join)
CHARACTERS = st.one_of(
    st.text(st.sampled_from("山田太郎ｱﾞ髙①～ー 　ab.,<>&\"'@=?\\%{}()"), max_size=30),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        [
            "",
            "x" * 1200,
            "字" * 400,
            "👨‍👩‍👧‍👦" * 12,
            " a ",
            "a\r\nb\rc\nd",
            "From me\n.\n",
            "が" * 40,
            "1234",
            "Smith, John",
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    subject=PIECES.filter(lambda text: "\n" not in text),
    text=PIECES,
    html=st.none() | PIECES.map(lambda text: f"<p>{text}</p>"),
    charset=st.sampled_from(["utf-8", "iso-2022-jp", "shift_jis", "iso-8859-1"]),
    encoding=st.sampled_from(["auto", "auto", "base64", "quoted-printable"]),
    unencodable=st.sampled_from(["utf-8", "replace"]),
    values=st.fixed_dictionaries({"name": CHARACTERS, "id": CHARACTERS, "other": CHARACTERS}),
)
@example("{name}", "{name}", None, "utf-8", "auto", "utf-8", {"name": "a\0b", "id": "", "other": ""})
def test_any_values_make_what_compose_makes(  # noqa: PLR0913, PLR0917 - all that may be told
    subject, text, html, charset, encoding, unencodable, values
):
    words = {"subject": subject, "text": text, "charset": charset, "encoding": encoding, "unencodable": unencodable}
    words |= {"html": html} if html is not None else {}
    try:
        merge = Merge(**{**WORDS, **words})
    except Unsendable:
        return
    submission = merge.submission({**values, "email": "taro@example.jp"})
    try:
        expected = render(compose(**merge._wording.filled(submission.message._values)))
    except Unsendable:
        with pytest.raises(Unsendable):
            octets_of(submission)
        return
    found = octets_of(submission)
    assert read(found) == read(expected)
    assert found.isascii()
    assert max(map(len, found.split(b"\r\n"))) <= 998
    assert b"\n" not in found.replace(b"\r\n", b"")


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp"])
@pytest.mark.parametrize("name", ["山田太郎", "山田 太郎", "Taro", "株式会社　山田"])
def test_common_values_make_the_very_octets(name, charset):
    merge = Merge(**WORDS, charset=charset)
    submission = merge.submission({**ROW, "name": name})
    prepared = Preparer(EVERYTHING, chunking=True).prepare(submission)
    words = merge._wording.filled(submission.message._values)
    expected = render(compose(**words, message_id=prepared.message_id))
    without_date = [re.sub(rb"(?m)^Date: .*$", b"", octets) for octets in (octets_of(submission), expected)]
    assert without_date[0] == without_date[1]


def test_utf_16_has_one_byte_order_mark():
    merge_of = Merge(from_="a@example.jp", to="{email}", subject="{name}", text="{name}様 {name}\n", charset="utf-16")
    [part] = [message_from_bytes(octets_of(merge_of.submission({"email": "b@example.jp", "name": "山田"})))]
    assert part.get_payload(decode=True).decode("utf-16") == "山田様 山田\r\n"


def test_72_a_long_name_leaves_no_room_for_an_empty_word():
    name = "X-" + "a" * 66
    merge_of = Merge(from_="a@example.jp", to="{email}", text="x", headers={name: "{name}"})
    octets = octets_of(merge_of.submission({"email": "b@example.jp", "name": "山田太郎"}))
    assert b"?B??=" not in octets
    assert str(make_header(decode_header(message_from_bytes(octets)[name]))).strip() == "山田太郎"
