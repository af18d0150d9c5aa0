"""Messages as senders really write them, read: charsets mislabelled, words cut within characters, encodings broken."""

import io
import sys
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from quopri import encodestring
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.charsets.charset import charset
from ninsho.mail.reading import Address, Mail, from_standard_input, read

WORDS = "①株式会社髙島～日本語ｶﾅ"
SENTENCE = "お知らせの件名です"


def message(body=b"", **header):
    fields = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in header.items())
    return fields.encode() + b"\n" + body


def word(octets, charset, encoding="B"):
    text = b64encode(octets).decode() if encoding == "B" else "".join(f"={octet:02X}" for octet in octets)
    return f"=?{charset}?{encoding}?{text}?="


def jis(text):
    return charset("iso-2022-jp").encode(text)


# The header.


@pytest.mark.parametrize("charset", ["utf-8", "shift_jis", "cp932", "euc-jp", "gb18030", "utf-16"])
@pytest.mark.parametrize("encoding", "BQ")
def test_encoded_words(charset, encoding):
    assert read(message(Subject=word(SENTENCE.encode(charset), charset, encoding))).subject == SENTENCE


def test_cp50221_is_labelled_iso_2022_jp():
    assert read(message(Subject=word(jis(WORDS), "ISO-2022-JP"))).subject == WORDS


@pytest.mark.parametrize("label", ["iso-8859-1", "us-ascii", "utf-8", "x-unknown", "iso-2022-jp"])
def test_shift_jis_is_labelled_anything(label):
    octets = SENTENCE.encode("cp932")
    mail = read(message(octets, Subject=word(octets, label), Content_Type=f"text/plain; charset={label}"))
    assert (mail.subject, mail.text) == (SENTENCE, SENTENCE)


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("charset", ["utf-8", "shift_jis", "iso-2022-jp"])
@pytest.mark.parametrize("encoding", "BQ")
def test_72_words_that_were_cut_within_characters(size, charset, encoding):
    octets = jis(SENTENCE) if charset == "iso-2022-jp" else SENTENCE.encode(charset)
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    subject = "\n ".join(word(piece, charset, encoding) for piece in pieces)
    assert read(message(Subject=subject)).subject == SENTENCE


def test_base64_that_was_cut_within_four_characters():
    text = b64encode(SENTENCE.encode()).decode()
    subject = f"=?utf-8?B?{text[:17]}?=\n =?utf-8?B?{text[17:]}?="
    assert read(message(Subject=subject)).subject == SENTENCE


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 2047 §8
        ("=?ISO-8859-1?Q?a?=", "a"),
        ("=?ISO-8859-1?Q?a?= b", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a?=\n    =?ISO-8859-1?Q?b?=", "ab"),
        ("=?ISO-8859-1?Q?a_b?=", "a b"),
        ("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
        # RFC 2231 §5
        ("=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),
        # What is against the rules, and seen.
        ("Re:=?utf-8?B?44GK?=x", "Re:おx"),
        ("=?utf-8?B?44GK?==?utf-8?B?44GK?=", "おお"),
        ("=?utf-8?B?44G K?=", "お"),
        ("=?utf-8?B?44GK===?=", "お"),
        ("=?utf-8?Q?a b?=", "a b"),
        ("=?utf-8?Q?=E3=81=8A=ZZ?=", "お=ZZ"),
        ("=?utf-8?B??=", ""),
        ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
        ("=?utf-8?B?44GK", "=?utf-8?B?44GK"),
        # A value stays one line.
        ("=?utf-8?Q?a=0D=0ABcc:_x?=", "a  Bcc: x"),
    ],
)
def test_subjects(value, expected):
    assert read(message(Subject=value)).subject == expected


@pytest.mark.parametrize("encode", [jis, *(lambda t, c=c: t.encode(c) for c in ("utf-8", "cp932", "euc-jp"))])
def test_octets_in_the_header_that_nobody_has_encoded(encode):
    name, subject = encode("山田表太郎"), encode("お知らせの件")
    mail = read(
        b"Subject: " + subject + b"\r\nFrom: " + name + b' <t@x.example>\r\nTo: "' + name + b'" <h@x.example>\r\n\r\n'
    )
    assert mail.subject == "お知らせの件"
    assert mail.from_ == (Address("山田表太郎", "t@x.example"),)
    assert mail.to == (Address("山田表太郎", "h@x.example"),)


def test_octets_in_the_header_are_in_the_charset_of_the_text():
    octets = message(b"", Content_Type="text/plain; charset=iso-8859-1")
    assert read(b"Subject: caf\xe9 \xfcber\n" + octets).subject == "café über"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.example", [("", "a@b.example")]),
        (
            "A B <a@b.example>, <c@d.example>,, e@f.example (E)",
            [("A B", "a@b.example"), ("", "c@d.example"), ("E", "e@f.example")],
        ),
        ('"B, A" <a@b.example>', [("B, A", "a@b.example")]),
        (r'"A \"x\" \\" <a@b.example>', [('A "x" \\', "a@b.example")]),
        # Encoded words within quotes, and structure within encoded words.
        ('"=?utf-8?B?5bGx55Sw?=" <a@b.example>', [("山田", "a@b.example")]),
        ("=?utf-8?Q?B,_A_<evil@c.example>?= <a@b.example>", [("B, A <evil@c.example>", "a@b.example")]),
        ("=?utf-8?Q?evil=40c.example?=", [("evil@c.example", "")]),
        ("=?utf-8?B?5bGx?= =?utf-8?B?55Sw?= <a@b.example>", [("山田", "a@b.example")]),
        # An ideographic space belongs to a name.
        ("山田　太郎 <a@b.example>", [("山田　太郎", "a@b.example")]),
        # Groups (RFC 5322 §3.4).
        ("undisclosed-recipients:;", []),
        (
            "G: a@b.example, C <c@d.example>;, e@f.example",
            [("", "a@b.example"), ("C", "c@d.example"), ("", "e@f.example")],
        ),
        # What docomo gave out, and what else is against the rules.
        ("a..b.@docomo.example", [("", "a..b.@docomo.example")]),
        ('"a..b"@docomo.example', [("", '"a..b"@docomo.example')]),
        ('<"a>b"@c.example>', [("", '"a>b"@c.example')]),
        ("<@x.example,@y.example:a@b.example>", [("", "a@b.example")]),
        ("a@[IPv6:2001:db8::1]", [("", "a@[IPv6:2001:db8::1]")]),
        ("root", [("", "root")]),
        ("A B", [("A B", "")]),
        ("A B a@b.example", [("A B", "a@b.example")]),
        ("A <a@b.example> C <c@d.example>", [("A", "a@b.example"), ("C", "c@d.example")]),
        ("<a@b.example> A", [("A", "a@b.example")]),
        ('"A <a@b.example>, c@d.example', [('"A', "a@b.example"), ("", "c@d.example")]),
        ("A (x <a@b.example>", [("A (x", "a@b.example")]),
        ("a@b.example (=?utf-8?B?5bGx55Sw?=)", [("山田", "a@b.example")]),
        ("<a@b.example >", [("", "a@b.example")]),
        ("A <a@b.example", [("A", "<a@b.example")]),
        ("", []),
        (",;:<>", [("", "")]),
    ],
)
def test_addresses(value, expected):
    assert [(each.name, each.address) for each in read(message(To=value)).to] == expected


def test_two_fields_where_there_should_be_one():
    assert read(b"To: a@b.example\nTO : c@d.example\n\n").to == (Address("", "a@b.example"), Address("", "c@d.example"))


def test_an_address_as_text():
    assert str(Address('A "B"', "a@b.example")) == r'"A \"B\"" <a@b.example>'
    assert str(Address("", "a@b.example")) == "a@b.example"
    assert str(Address("A", "")) == "A"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Wed, 1 Apr 2026 10:00:00 +0900", datetime(2026, 4, 1, 10, tzinfo=timezone(timedelta(hours=9)))),
        ("1 Apr 26 10:00 GMT", datetime(2026, 4, 1, 10, tzinfo=UTC)),
        ("Wed, 1 Apr 2026 10:00:00 -0000", datetime(2026, 4, 1, 10, tzinfo=UTC)),
        ("Wed, 1 Apr 2026 10:00:00", datetime(2026, 4, 1, 10, tzinfo=UTC)),
        ("Wed, 1 Apr 2026 10:00:00 +0900 (JST)", datetime(2026, 4, 1, 10, tzinfo=timezone(timedelta(hours=9)))),
        ("Wed, 99 Apr 2026 10:00:00 +0900", None),
        ("Wed, 1 Apr 2026 10:00:00 +9999999999", None),
        ("令和8年", None),
    ],
)
def test_dates(value, expected):
    mail = read(message(Date=value))
    assert mail.date == expected
    assert mail.defects == (() if expected else ("a date that cannot be read",))


def test_ids():
    mail = read(message(Message_ID="<a@b>", In_Reply_To="Your mail of Monday <c@d>", References="<e@f>\n <g@h><i@j>"))
    assert (mail.message_id, mail.in_reply_to, mail.references) == ("<a@b>", "<c@d>", ("<e@f>", "<g@h>", "<i@j>"))
    assert read(message(Message_ID="bare")).message_id == "bare"
    assert read(b"\n").message_id == ""


def test_all_fields_in_their_order():
    mail = read(b"Received: one\nX-Y: =?utf-8?B?44GK?=\nReceived: two\n\tmore\n\n")
    assert mail.header == (("Received", "one"), ("X-Y", "お"), ("Received", "two more"))
    assert list(mail.all("received")) == ["one", "two more"]
    assert (mail.first("x-y"), mail.first("z")) == ("お", "")


def test_a_header_that_has_lost_a_fold():
    mail = read(b"Subject: one\nand two\nContent-Type: text/html\n\n<p>x")
    assert (mail.subject, mail.html) == ("one and two", "<p>x")
    assert mail.defects == ("a line in the header that is no field: taken for the rest of the one before",)


def test_a_body_without_an_empty_line_in_front():
    mail = read(b"Subject: one\nthe text\n\nmore: of it\n")
    assert (mail.subject, mail.text) == ("one", "the text\n\nmore: of it\n")
    assert mail.defects == ("no empty line between header and body",)
    assert read(b"nothing but text\n").text == "nothing but text\n"
    assert read(b" nothing\n but: text\n").text == " nothing\n but: text\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_of_all_times(end):
    mail = read(b"Subject: a\n b\n\none\ntwo\n".replace(b"\n", end))
    assert (mail.subject, mail.text) == ("a b", "one\ntwo\n")


# The text.


@pytest.mark.parametrize("charset", ["utf-8", "shift_jis", "euc-jp", "iso-2022-jp", "utf-16", "gb18030", "koi8-r"])
def test_texts_in_charsets(charset):
    text = "Привет" if charset == "koi8-r" else SENTENCE
    octets = b64encode(text.encode(charset))
    kind = f"text/plain; charset={charset}"
    assert read(message(octets, Content_Type=kind, Content_Transfer_Encoding="base64")).text == text


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/plain; charset=", "text/plain; charset=x-unknown", "text", "x y", ""]
)
@pytest.mark.parametrize("encode", [jis, *(lambda t, c=c: t.encode(c) for c in ("utf-8", "cp932", "euc-jp"))])
def test_a_charset_that_is_missing_or_unknown(kind, encode):
    assert read(message(encode(SENTENCE), Content_Type=kind)).text == SENTENCE


@pytest.mark.parametrize(
    "meta",
    [
        '<meta charset="shift_jis">',
        "<META http-equiv='Content-Type' content='text/html; charset=Shift_JIS'>",
        "<?xml version='1.0' encoding='Shift_JIS'?>",
    ],
)
def test_html_says_its_charset_itself(meta):
    page = f"<html><head>{meta}</head><body>｡ｱ</body></html>"
    assert read(message(page.encode("cp932"), Content_Type="text/html")).html == page


def test_text_from_html_alone():
    mail = read(message("<p>一つ</p><p>二つ<script>x</script>".encode(), Content_Type="text/html; charset=utf-8"))
    assert [line.strip() for line in mail.text.split("\n") if line.strip()] == ["一つ", "二つ"]
    assert mail.html.startswith("<p>一つ")


def test_text_from_html_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "inscriptis", None)
    monkeypatch.setitem(sys.modules, "inscriptis.css_profiles", None)
    page = b"<head><title>t</title></head><STYLE>a</style><p>one &amp; <b>two</b><br>three<script>x"
    assert read(message(page, Content_Type="text/html")).text == "one & two\nthree\n"


def test_81_flowed_text_is_joined():
    body = b"one \ntwo\n>quoted \n>more\n From\n-- \nme\n"
    assert (
        read(message(body, Content_Type="text/plain; format=flowed")).text == "one two\n>quoted more\nFrom\n-- \nme\n"
    )
    body = "日本 \n語\n".encode()
    assert read(message(body, Content_Type="text/plain; charset=utf-8; format=Flowed; delsp=YES")).text == "日本語\n"


@pytest.mark.parametrize(
    ("body", "encoding", "expected", "defect"),
    [
        (b"YWJj", "base64", "abc", ""),
        (b"YWJj\nZGVm\n", "BASE64 ", "abcdef", ""),
        # A list has added its footer, as it is.
        (b"YWJj\nZGU=\n_______\nThe list\n", "base64", "abcde_______\nThe list\n", "base64 that is broken"),
        # Each piece encoded for itself.
        (b"YQ==\nYg==\n", "base64", "ab", "base64 that is broken"),
        (b"YWJjZA", "base64", "abcd", "base64 that is broken"),
        (b"YWJjZ", "base64", "abc", "base64 that is broken"),
        (b"Hello, this is no base64.\n", "base64", "Hello, this is no base64.\n", "base64 that is broken"),
        (b"a=C3=BC=\n b=20\n", "quoted-printable", "aü b \n", ""),
        (b"a=\r\nb= \r\nc  \r\nd", "Quoted-Printable", "abc\nd", ""),
        (b"100=% =G1 =", "quoted-printable", "100=% =G1 ", "quoted-printable that is broken"),
        (b"=c3=bc", "quoted-printable", "ü", ""),
        (b"as it is", "x-none", "as it is", "an encoding that nobody knows: 'x-none'"),
        (b"begin 644 a.txt\n#86)C\n`\nend\n", "x-uuencode", "abc", ""),
        (b"begin 644 a.txt\n#86)C\n", "x-uuencode", "abc", "uuencode without an end"),
        (b"nothing", "x-uuencode", "nothing", "uuencode without a beginning"),
    ],
)
def test_transfer_encodings_half_broken(body, encoding, expected, defect):
    mail = read(message(body, Content_Type="text/plain; charset=utf-8", Content_Transfer_Encoding=encoding))
    assert mail.text == expected
    assert mail.defects == ((f"text/plain: {defect}",) if defect else ())


# The parts.


def parts(*pieces, kind="mixed", boundary="b"):
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'
    return head + "".join(f"--{boundary}\n{piece}\n" for piece in pieces) + f"--{boundary}--\n"


PLAIN = "Content-Type: text/plain; charset=utf-8\n\nplain"
HTML = "Content-Type: text/html; charset=utf-8\n\n<p>html"
IMAGE = "Content-Type: image/png; name=i.png\nContent-ID: <i@x>\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\nAAE="
FILE = 'Content-Type: application/pdf\nContent-Disposition: attachment; filename="f.pdf"\nContent-Transfer-Encoding: base64\n\nAAE='


@pytest.mark.parametrize(
    ("tree", "text", "html", "files"),
    [
        (parts(parts(PLAIN, HTML, kind="alternative", boundary="c"), FILE), "plain", "<p>html", ["f.pdf"]),
        (
            parts(
                parts(parts(PLAIN, HTML, kind="alternative", boundary="d"), IMAGE, kind="related", boundary="c"), FILE
            ),
            "plain",
            "<p>html",
            ["i.png", "f.pdf"],
        ),
        (
            parts(PLAIN, parts(HTML, IMAGE, kind="related", boundary="c"), kind="alternative"),
            "plain",
            "<p>html",
            ["i.png"],
        ),
        # Apple's: a file between two texts.
        (parts(PLAIN, FILE, PLAIN), "plain\nplain", "", ["f.pdf"]),
        # A list's footer below HTML.
        (parts(HTML, PLAIN), "html\nplain", "<p>html", []),
        # An empty text beside HTML says nothing.
        (parts("Content-Type: text/plain\n\n \n", HTML, kind="alternative"), "html", "<p>html", []),
        (parts(PLAIN, "Content-Type: text/plain; name=a.txt\n\nfile"), "plain", "", ["a.txt"]),
        (parts("Content-Type: text/plain; name=a.txt\n\nbody"), "body", "", []),
        (parts(PLAIN, "Content-Type: text/plain\nContent-Disposition: attachment\n\nfile"), "plain", "", [""]),
        (parts(PLAIN, "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR"), "plain", "", [""]),
        (parts("\nno header"), "no header", "", []),
        (parts("X: y"), "", "", []),
        ("Content-Disposition: attachment; filename=a.txt\n\nx", "", "", ["a.txt"]),
    ],
)
def test_78_trees(tree, text, html, files):
    mail = read(tree.encode())
    assert (mail.text.strip("\n "), mail.html.rstrip("\n")) == (text, html)
    assert [each.filename for each in mail.attachments] == files
    assert all(each.data == b"\0\1" for each in mail.attachments if each.filename.endswith(("png", "pdf")))
    crlf = read(tree.replace("\n", "\r\n").encode())
    assert (crlf.text, crlf.attachments) == (mail.text, mail.attachments)


def test_an_image_within_html():
    (image,) = read(parts(HTML, IMAGE, kind="related").encode()).attachments
    assert (image.content_id, image.content_type, image.inline) == ("i@x", "image/png", True)


def test_a_message_that_came_along_stays_whole():
    inner = parts(PLAIN, FILE, boundary="inner")
    mail = read(parts(PLAIN, f"Content-Type: message/rfc822\n\n{inner}").encode())
    (attached,) = mail.attachments
    assert attached.content_type == "message/rfc822"
    assert read(attached.data).attachments[0].filename == "f.pdf"
    (digest,) = read(parts(f"\n{inner}", kind="digest").encode()).attachments
    assert read(digest.data).attachments[0].filename == "f.pdf"


@pytest.mark.parametrize(
    ("tree", "text", "defect"),
    [
        ("Content-Type: multipart/mixed\n\n--b\n\nx", "--b\n\nx", "a multipart without its boundary: taken for text"),
        ("Content-Type: multipart/mixed; boundary=b\n\nx", "x", "a multipart without its boundary: taken for text"),
        ("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n", "x\n", "a multipart without its last boundary"),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\nfoot",
            "x",
            "something behind the last boundary: left out",
        ),
        (parts("\nx").replace("--b\n", "--b \t\n").replace("--b--", "--b-- "), "x", ""),
        (parts("\nx").replace('"b"', '"b "'), "x", ""),
        (parts("\nx", boundary="b--"), "x", ""),
        # The same boundary within and without.
        (parts(parts("\nx"), "\ny"), "x\ny", ""),
    ],
)
def test_multiparts_that_are_broken(tree, text, defect):
    mail = read(tree.encode())
    assert mail.text == text
    assert mail.defects == ((defect,) if defect else ())


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ('filename="a b.txt"', "a b.txt"),
        ("filename=a.txt", "a.txt"),
        ("filename=a b.txt", "a b.txt"),
        ("filename*=utf-8''%E5%9B%B3.txt", "図.txt"),
        ("filename*=UTF-8'ja'%E5%9B%B3.txt", "図.txt"),
        ("filename*=iso-2022-jp''%1B%24B%3F%5E%1B%28B.txt", "図.txt"),
        ("filename*=shift_jis''%90%7D%95%5C.txt", "図表.txt"),
        ("filename*=%E5%9B%B3.txt", "図.txt"),
        # RFC 2231 §4.1, the pieces in any order.
        ("filename*1*=%B3; filename*0*=utf-8''%E5%9B; filename*2=.txt", "図.txt"),
        ("filename*0=a; filename*1=b.txt", "ab.txt"),
        ("filename=\"x.txt\"; filename*=utf-8''%E5%9B%B3.txt", "図.txt"),
        # RFC 2047 within quotes, as Qdmail and many others have it.
        ('filename="=?utf-8?B?5ZuzLnR4dA==?="', "図.txt"),
        ("filename==?utf-8?B?5ZuzLnR4dA==?=", "図.txt"),
        ('filename="=?utf-8?B?5Zuz?=\n =?utf-8?B?LnR4dA==?="', "図.txt"),
        ('filename*0="=?utf-8?B?5Zuz"; filename*1="LnR4dA==?="', "図.txt"),
        # Where it is to be written is for nobody else to say.
        ('filename="../../etc/passwd"', "passwd"),
        (r'filename="C:\temp\new.txt"', "new.txt"),
        ("filename*=utf-8''..%2F..%2Fa%0D%0A.txt", "a  .txt"),
        ('filename="a\\"b\\\\c.txt"', "c.txt"),
        ('filename="no end', "no end"),
        ("filename", ""),
    ],
)
def test_74_file_names(parameter, expected):
    (file,) = read(message(b"", Content_Type="x/y", Content_Disposition=f"attachment; {parameter}")).attachments
    assert file.filename == expected
    (file,) = read(message(b"", Content_Type=f"x/y; {parameter.replace('filename', 'name')}")).attachments
    assert file.filename == expected


def test_a_file_name_in_octets_that_nobody_has_encoded():
    (file,) = read(b'Content-Type: x/y; name="' + "図表ソ.txt".encode("cp932") + b'"\n\n').attachments
    assert file.filename == "図表ソ.txt"


def test_the_charset_of_a_file_is_told():
    (file,) = read(message(b"", Content_Type="text/csv; charset=Shift_JIS")).attachments
    assert (file.charset, file.content_type) == ("Shift_JIS", "text/csv")


# What composers write is read.

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=60)
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=200)


@given(subject=TEXTS, text=LINES, html=LINES, filename=TEXTS, data=st.binary(max_size=100))
def test_what_pythons_composer_writes_is_read(subject, text, html, filename, data):
    composed = EmailMessage()
    composed["Subject"] = subject
    composed.set_content(text)
    composed.add_alternative(html, subtype="html")
    composed.add_attachment(data, maintype="x", subtype="y", filename="f" + filename.replace("/", "").replace("\\", ""))
    mail = read(composed.as_bytes())
    assert mail.subject.split() == subject.split()
    assert mail.text in (text, text + "\n") or not text.strip()
    assert mail.html in (html, html + "\n")
    (file,) = mail.attachments
    assert file.data == data
    assert file.filename.split() == f"f{filename}".replace("/", "").replace("\\", "").split()


def test_standard_input_as_a_mail_server_pipes_it(monkeypatch):
    piped = b"From bounces@example.jp  Wed Apr  1 10:00:00 2026\nSubject: x\n\nFrom here\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(piped)))
    mail = from_standard_input()
    assert (mail.subject, mail.text) == ("x", "From here\n")
    assert "From" not in dict(mail.header)


def test_nothing_is_read_as_a_mail_without_anything():
    assert read(b"") == Mail()


def test_a_quoted_printable_text_of_all_octets():
    octets = bytes(range(32, 127))
    assert read(message(encodestring(octets), Content_Transfer_Encoding="quoted-printable")).text.encode() == octets
