"""Where composers of mail have gone wrong: the octets of composed messages, by rules of the RFCs written down anew here.

The numbers are those of a list of such cases. What readers make of the same messages is asked in ``tests/peers``.
"""

import re
from base64 import b64decode
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from quopri import decodestring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho import Attachment, compose
from ninsho.mail.composing.render import render
from ninsho.mail.composing.words import Charsets, Unsubscribe
from ninsho.mail.merging.merge import Merge
from ninsho.mail.unsendable import Unsendable

CHARSETS = ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp", Charsets("iso-2022-jp", "utf-8", "utf-8")]
each_charset = pytest.mark.parametrize("charset", CHARSETS, ids=str)

ENCODED_WORD = re.compile(r"=\?([^?\s]+)\?([BQbq])\?([^?\s]*)\?=")
TO_ASCII = (b"\x1b(B", b"\x1b(J")  # RFC 1468
EUC_JP = re.compile(rb"(?:[\x00-\x7f]|\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe]{2}|[\xa1-\xfe]{2})*")

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
SUBJECTS = [
    "お知らせ：" + "吾輩は猫である。名前はまだ無い。" * 20,
    "Re: 請求書 No.12 （①㈱髙）の件 " * 6,
    "Re: the 本 of all books, " * 8,
    f"{FAMILY} 絵文字 {FAMILY}" * 5,
    "か\u3099き\u3099" * 40,
    "表示ソ能" * 20,
    "x" * 900,
    "the quick brown fox " * 30,
    "=?utf-8?B?SGVsbG8=?= 日本",
    "𠮷野家で𩸽を" * 15,
]

LETTERS = st.characters(exclude_categories=["C", "Zl", "Zp"])
KANJI = st.sampled_from("日本語表示ソ能①㈱髙～－ｱｶﾞがか゛、。ーア漢字 ")
TEXTS = st.text(KANJI | LETTERS, max_size=150)
NAMES = st.text(KANJI | LETTERS, min_size=1, max_size=60).map(str.strip).filter(bool)


def octets(**words: object) -> bytes:
    """What leaves; whatever a test does not tell is plain."""
    plain = {"from_": "a@example.jp", "to": "b@example.jp", "subject": "x", "text": "x\n", "unencodable": "utf-8"}
    return render(compose(**{**plain, **words}))


def headers(message: bytes) -> Iterator[list[str]]:
    """Each header field in its lines, of the message and of its parts."""
    for block in re.split(rb"\r\n--=_[^\r\n]*\r\n", message):
        header = block.partition(b"\r\n\r\n")[0]
        yield from (field.split("\r\n") for field in re.split(r"\r\n(?![ \t])", header.decode("ascii")) if field)


def field(message: bytes, name: str) -> str:
    """The first such field, unfolded."""
    return next("".join(lines) for lines in headers(message) if lines[0].lower().startswith(f"{name.lower()}:"))


def words_in(line: str) -> list[tuple[str, bytes]]:
    """The encoded words: charset, and octets."""
    found = ENCODED_WORD.findall(line)
    return [
        (charset, b64decode(text) if encoding in "Bb" else decodestring(text, header=True))
        for charset, encoding, text in found
    ]


def assert_header_is_sound(message: bytes) -> None:
    for lines in headers(message):
        for line in lines:
            assert len(line) <= 998
            # RFC 2047 §2, RFC 5322 §2.1.1; a word that has no space to fold at stays whole.
            assert len(line) <= (76 if "=?" in line else 78) or " " not in line.partition(":")[2].strip(" ")
            # RFC 5322 §3.2.2: a line of white space only would end the header for many.
            assert line.strip(" \t")
        whole = "".join(lines)
        for found in ENCODED_WORD.finditer(whole):
            assert len(found[0]) <= 75
            if not re.match(r"content-type:", whole, re.IGNORECASE):
                # Around it is white space, or a parenthesis of a comment: never a quote (RFC 2047 §5).
                around = whole[found.start() - 1 : found.start()] + whole[found.end() : found.end() + 1]
                assert not around.strip(" \t()")
        for charset, text in words_in(whole):
            assert_whole(charset, text)


def assert_whole(charset: str, text: bytes) -> None:
    """Check that a word is cut between characters, and that of ISO-2022-JP ends in ASCII."""
    match charset.lower():
        case "iso-2022-jp":
            assert_back_in_ascii(text)
        case "euc-jp":
            assert EUC_JP.fullmatch(text)
        case "shift_jis":
            text.decode("cp932")
        case other:
            text.decode(other)


def assert_back_in_ascii(line: bytes) -> None:
    assert line.isascii()
    escapes = re.findall(rb"\x1b(?:\(.|\$\(.|\$[@B])", line)
    assert not escapes or escapes[-1] in TO_ASCII
    # Two octets each, where a character has two.
    for run in re.findall(rb"\x1b\$[@B]([^\x1b]*)", line):
        assert len(run) % 2 == 0


# 72: encoded words


@each_charset
@pytest.mark.parametrize("subject", SUBJECTS)
def test_72_subjects_are_folded_and_cut_where_they_may_be(subject, charset):
    assert_header_is_sound(octets(subject=subject, charset=charset))


@each_charset
@given(TEXTS, NAMES)
def test_72_whatever_the_subject_and_the_names_are(charset, subject, name):
    message = octets(subject=subject, from_=[(name, "a@example.jp")], to=[(name, "b@example.jp")] * 3, charset=charset)
    assert_header_is_sound(message)


@each_charset
def test_72_words_of_a_name_stand_outside_of_quotes(charset):
    message = octets(from_=[('山田, "太郎" (営業)', "a@example.jp")], charset=charset)
    assert_header_is_sound(message)
    assert '"' not in field(message, "From")


def test_72_words_are_not_cut_within_what_is_read_as_one_character():
    message = octets(subject=f"{FAMILY} " * 12)
    words = [text.decode() for _, text in words_in(field(message, "Subject"))]
    assert len(words) > 1
    assert not any(word.startswith("\u200d") or word.endswith("\u200d") for word in words)


# 73: ISO-2022-JP


def body(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]


@given(st.lists(TEXTS.map(lambda text: text.replace("\r", "")), max_size=5))
def test_73_each_line_ends_in_ascii(lines):
    message = octets(text="\n".join(lines), charset="iso-2022-jp")
    if "charset=iso-2022-jp" in field(message, "Content-Type") and "7bit" in field(
        message, "Content-Transfer-Encoding"
    ):
        for line in body(message).split(b"\r\n"):
            assert_back_in_ascii(line)


def test_73_half_width_kana_by_switch_alone():
    folded, kept = (octets(text="ｶﾞｷﾞ", charset="iso-2022-jp", kana=kana) for kana in ("auto", "keep"))
    assert b"\x1b(I" not in body(folded)
    assert body(folded).removesuffix(b"\r\n").decode("iso2022_jp") == "ガギ"
    assert b"\x1b(I" in body(kept)
    assert all(
        field(each, "Content-Type") == "Content-Type: text/plain; charset=iso-2022-jp" for each in (folded, kept)
    )


@pytest.mark.parametrize("pair", ["～〜", "－−", "∥‖", "―—", "￠¢", "￡£", "￢¬"])
def test_73_what_microsoft_and_others_map_apart_is_one(pair):
    assert len({body(octets(text=each, charset="iso-2022-jp")) for each in pair}) == 1


def test_73_the_label_has_no_other_name():
    message = octets(text="①㈱髙", subject="①㈱髙", charset="iso-2022-jp")
    assert {charset for charset, _ in words_in(field(message, "Subject"))} == {"iso-2022-jp"}
    assert b"50221" not in message


# 74: names of files


@pytest.mark.parametrize(
    "name", ["見積書.pdf", "長い名前の見積書" * 12 + ".pdf", f"{FAMILY}.png", "plain.pdf", "表示ソ.pdf"]
)
@each_charset
def test_74_names_of_files_stand_in_both_ways(name, charset):
    message = octets(attach=Attachment(filename=name, data=b"x"), charset=charset)
    assert_header_is_sound(message)
    assert "filename" in field(message, "Content-Disposition")
    part = re.search(rb"Content-Type: application/[^\r]*; *(?:\r\n )?name=", message) or b"image/png" in message
    assert part


def test_74_sections_are_cut_between_characters():
    # Python's own parser decodes each section for itself.
    for charset, codec in (("utf-8", "utf-8"), ("shift_jis", "cp932")):
        message = octets(attach=Attachment(filename="長い名前の見積書" * 12, data=b"x"), charset=charset)
        sections = re.findall(rb"filename\*\d+\*=(?:[\w-]+'')?([^;\r]*)", message)
        assert len(sections) > 1
        for section in sections:
            re.sub(rb"%(..)", lambda found: bytes([int(found[1], 16)]), section).decode(codec)


def test_74_a_quoted_name_is_not_folded_within():
    # Some readers put two spaces where a fold was.
    message = octets(attach=Attachment(filename='the "final" (2) version; a=b, c d e f g.pdf', data=b"x"))
    for lines in headers(message):
        for line in lines:
            assert len(re.findall(r'(?<!\\)"', line)) % 2 == 0


@pytest.mark.parametrize("name", ["/etc/passwd", "..\\..\\boot.ini", "C:\\Users\\tim\\a.pdf", "../a.pdf"])
def test_74_path_parts_are_stripped(name):
    message = octets(attach=Attachment(filename=name, data=b"x"))
    shown = message_from_bytes(message, policy=default).get_payload()[1].get_filename()
    assert shown == re.split(r"[/\\]", name)[-1]


@pytest.mark.parametrize("name", ["a\r\nBcc: c@example.jp", "a\nb", "a\rb", "a\0b", "a\u2028b", "\x85"])
def test_74_a_file_name_is_one_line(name):
    with pytest.raises(Unsendable):
        octets(attach=Attachment(filename=name, data=b"x"))


def test_74_text_has_its_charset():
    for charset in ("utf-8", "shift_jis", "euc-jp", "iso-2022-jp"):
        data = "日本語の文書です。".encode(charset)
        message = octets(attach=Attachment(filename="a.txt", data=data, charset=charset))
        assert f"charset={charset}" in message.decode()


# 75: folding


def test_75_identifiers_are_whole_however_many_there_are():
    identifiers = [f"<{number:060}.{number:060}@mail.example.jp>" for number in range(40)]
    message = octets(references=identifiers, in_reply_to=identifiers[-1])
    assert_header_is_sound(message)
    assert field(message, "References").split()[1:] == identifiers
    assert field(message, "In-Reply-To").split()[1:] == identifiers[-1:]


def test_75_message_id_is_never_encoded_or_folded():
    told = f"<{'x' * 200}@example.jp>"
    message = octets(message_id=told, subject="日本" * 50)
    assert f"\r\nMessage-ID: {told}\r\n".encode() in message


@given(st.text(st.sampled_from("ab日本 \t"), max_size=300))
def test_75_white_space_never_makes_an_empty_line(subject):
    assert_header_is_sound(octets(subject=subject))


# 76: injection

BREAKS = [
    "\r\nBcc: c@example.jp",
    "\nBcc: c@example.jp",
    "\rBcc: c@example.jp",
    "\r\n\r\nbody",
    "\0",
    "\x85x",
    "\u2028x",
    "\x0bx",
]
PLACES = {
    "subject": lambda evil: {"subject": f"x{evil}"},
    "a name": lambda evil: {"from_": [(f"x{evil}", "a@example.jp")]},
    "an address": lambda evil: {"to": f"b{evil}@example.jp"},
    "a reply's address": lambda evil: {"reply_to": f"b@example.jp{evil}"},
    "content-id": lambda evil: {"html": "x", "attach": Attachment(filename="a", data=b"", content_id=f"x{evil}@x")},
    "content type": lambda evil: {"attach": Attachment(filename="a", data=b"", content_type=f"text/x{evil}")},
    "list-unsubscribe": lambda evil: {"unsubscribe": Unsubscribe(url=f"https://example.jp/{evil}")},
    "list-unsubscribe's address": lambda evil: {"unsubscribe": Unsubscribe(mailto=f"a@example.jp{evil}")},
    "message-id": lambda evil: {"message_id": f"<a{evil}@example.jp>"},
    "references": lambda evil: {"references": [f"<a{evil}@example.jp>"]},
    "another field": lambda evil: {"headers": {"X-Mark": f"x{evil}"}},
    "another field's name": lambda evil: {"headers": {f"X-Mark{evil}": "x"}},
    "a calendar's method": lambda evil: {"calendar": f"BEGIN:VCALENDAR\nMETHOD:REQUEST{evil}\nEND:VCALENDAR"},
}


@pytest.mark.parametrize("evil", BREAKS)
@pytest.mark.parametrize("place", PLACES)
def test_76_no_value_is_more_than_one_field(place, evil):
    try:
        message = octets(**PLACES[place](evil))
    except (Unsendable, ValueError):
        return
    names = {lines[0].partition(":")[0].lower() for lines in headers(message)}
    assert "bcc" not in names
    assert not re.search(rb"[\x00\x0b\x85\xe2]|\r(?!\n)|(?<!\r)\n", message)


# 78: the tree


def test_78_boundaries_are_in_no_text():
    message = octets(text="--=_\n--\n--=_0--\n", html="<p>--=_</p>", attach=Attachment(filename="a", data=b"--=_\r\n"))
    boundaries = re.findall(rb'boundary="([^"]+)"', message)
    assert len(set(boundaries)) == len(boundaries) == 2
    for boundary in boundaries:
        children = message.count(b"\r\n--" + boundary + b"\r\n")
        assert message.count(boundary) == children + 2


def test_78_the_same_image_in_two_messages_has_two_names():
    html = '<img src="data:image/png;base64,iVBORw0KGgo=">'
    identifiers = [field(octets(html=html), "Content-ID") for _ in range(2)]
    assert identifiers[0] != identifiers[1]


# 82: values of a merge


def merged(row: dict[str, object], **words: object) -> bytes:
    plain = {"from_": "a@example.jp", "to": "{email}", "subject": "x", "text": "x"}
    return render(Merge(**{**plain, **words}).submission({"email": "b@example.jp", **row}).message)


def test_82_values_are_escaped_in_html_alone():
    message = merged(
        {"name": '<b>山田 & "Co"</b>'}, text="{name}", html='<p title="{name}">{name}</p>', subject="{name}"
    )
    read = message_from_bytes(message, policy=default)
    assert read["Subject"] == '<b>山田 & "Co"</b>'
    assert read.get_body(("plain",)).get_content().strip() == '<b>山田 & "Co"</b>'
    html = read.get_body(("html",)).get_content()
    assert "<b>" not in html
    assert html.count("&lt;b&gt;山田 &amp; ") == 2
    assert '"Co"' not in html


@pytest.mark.parametrize("evil", BREAKS)
@pytest.mark.parametrize("place", ["subject", "to", "from_", "reply_to", "unsubscribe"])
def test_82_a_value_is_one_line_in_the_header(place, evil):
    template = {"subject": "{name}", "unsubscribe": "https://example.jp/{name}"}.get(place, "{name} <c@example.jp>")
    try:
        message = merged({"name": f"x{evil}"}, **{place: template})
    except Unsendable:
        return
    names = [lines[0].partition(":")[0].lower() for lines in headers(message)]
    assert "bcc" not in names
    assert len(names) == len(set(names))
    assert b"\r\n\r\nx" in message
