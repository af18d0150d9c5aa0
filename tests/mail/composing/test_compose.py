"""A message made of words says what they say, to readers that are not ours."""

from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address

import pytest

from ninsho import Attachment, Charsets, Unsubscribe, Wrapping, compose, render
from ninsho.mail.charsets.encoding import CannotEncode
from ninsho.mail.flowed import unflowed
from ninsho.mail.unsendable import Unsendable

WORDS = {
    "from_": "花子 <hanako@example.jp>",
    "to": "山田太郎 <taro@example.jp>",
    "subject": "お知らせ",
    "text": "本文です。\n",
}


def composed(**words):
    return compose(**{**WORDS, **words})


def octets_of(**words):
    return render(composed(**words))


def seen(**words):
    """The message as Python reads it."""
    return message_from_bytes(octets_of(**words), policy=policy.default)


def said(part):
    """The text of a part; lines end with CRLF on the wire."""
    return part.get_content().replace("\r\n", "\n")


def shape(part):
    return (
        f"{part.get_content_subtype()}({', '.join(map(shape, part.iter_parts()))})"
        if part.is_multipart()
        else part.get_content_type()
    )


def test_a_japanese_letter_reads_as_it_was_written():
    message = seen()
    assert message["Subject"] == "お知らせ"
    assert [(who.display_name, who.addr_spec) for who in message["To"].addresses] == [("山田太郎", "taro@example.jp")]
    assert said(message) == "本文です。\n"
    assert message["MIME-Version"] == "1.0"
    assert octets_of().isascii()


def test_what_is_composed_can_be_asked():
    message = composed()
    assert message["Subject"] == "お知らせ"
    assert message["To"].addresses[0].display_name == "山田太郎"
    assert message.get_content_type() == "text/plain"


def test_an_unknown_word_is_a_type_error():
    with pytest.raises(TypeError, match="subjet"):
        composed(subjet="x")


def test_an_author_there_must_be():
    with pytest.raises(TypeError, match="from_"):
        compose(to="a@example.org")


# Whom it names.


@pytest.mark.parametrize(
    "to",
    [
        "山田, 太郎 <taro@example.jp>",
        "Smith, John <john@example.org>",
        "nobody",
        ["a@example.org", "b"],
        [("Name", "a@example.org\r\nBcc: b@example.org")],
        "",
        [("x", "")],
    ],
)
def test_what_is_no_address_is_refused(to):
    with pytest.raises(Unsendable, match="to: "):
        composed(to=to or [""])


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("a@example.org, B <b@example.org>", [("", "a@example.org"), ("B", "b@example.org")]),
        (["a@example.org", "名 <b@example.org>"], [("", "a@example.org"), ("名", "b@example.org")]),
        ([("山田, 太郎", "t@example.jp")], [("山田, 太郎", "t@example.jp")]),
        ([('The "Boss" (x) <y@z>', "t@example.jp")], [('The "Boss" (x) <y@z>', "t@example.jp")]),
        (("山田, 太郎", "t@example.jp"), [("山田, 太郎", "t@example.jp")]),
        (["a@example.jp", "b@example.jp"], [("", "a@example.jp"), ("", "b@example.jp")]),
        (Address("太郎", "t", "example.jp"), [("太郎", "t@example.jp")]),
        ([Address(addr_spec="t@example.jp")], [("", "t@example.jp")]),
    ],
)
def test_addresses_come_in_every_shape(to, expected):
    assert [(who.display_name, who.addr_spec) for who in seen(to=to)["To"].addresses] == expected


def test_what_is_no_address_at_all_is_a_type_error():
    with pytest.raises(TypeError, match="to: expected an address, or a name and an address, got int"):
        composed(to=5)


def test_domains_of_any_script_become_a_labels():
    assert seen(to="x@例え.jp")["To"] == "x@xn--r8jz45g.jp"


def test_all_who_are_named_stand_in_their_fields():
    message = seen(cc="c@example.org", reply_to="r@example.org", sender="s@example.org", bcc="b@example.org")
    assert (message["Cc"], message["Reply-To"], message["Sender"]) == (
        "c@example.org",
        "r@example.org",
        "s@example.org",
    )
    assert message["Bcc"] is None
    assert composed(bcc="b@example.org")["Bcc"] == "b@example.org"


# Its header.


def test_77_date_has_a_zone_and_message_id_the_authors_domain():
    message = seen()
    assert message["Date"].datetime.tzinfo is not None
    assert message["Message-ID"].endswith("@example.jp>")
    when = datetime(2026, 11, 22, 9, 5, tzinfo=timezone(timedelta(hours=9)))
    assert seen(date=when)["Date"] == "Sun, 22 Nov 2026 09:05:00 +0900"
    assert seen(date=datetime(2026, 1, 2, 23, 4, tzinfo=UTC))["Date"] == "Fri, 02 Jan 2026 23:04:00 +0000"
    assert seen(message_id="a@b")["Message-ID"] == "<a@b>"


def test_a_reply_names_what_it_answers_whole():
    references = [f"<{'x' * 60}{number}@example.org>" for number in range(30)]
    octets = octets_of(in_reply_to="<parent@example.org>", references=references)
    assert all(reference.encode() in octets for reference in references)
    assert message_from_bytes(octets, policy=policy.default)["References"].split() == [
        *references,
        "<parent@example.org>",
    ]


@pytest.mark.parametrize("word", ["in_reply_to", "message_id"])
def test_what_is_no_identifier_is_refused(word):
    with pytest.raises(Unsendable, match=f"{word}: expected a Message-ID"):
        composed(**{word: "a b"})


def test_priority():
    message = seen(priority="high")
    assert (message["X-Priority"], message["Importance"], message["X-MSMail-Priority"]) == (
        "1 (Highest)",
        "High",
        "High",
    )
    with pytest.raises(Unsendable, match="priority: expected one of high, normal, low, got 'urgent'"):
        composed(priority="urgent")


def test_79_one_click_needs_https():
    message = seen(unsubscribe=Unsubscribe(url="https://example.jp/u?id=1", mailto="leave@example.jp"))
    assert message["List-Unsubscribe"] == "<mailto:leave@example.jp>, <https://example.jp/u?id=1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert seen(unsubscribe="https://example.jp/u")["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert seen(unsubscribe="http://example.jp/u")["List-Unsubscribe-Post"] is None
    assert seen(unsubscribe="leave@example.jp")["List-Unsubscribe"] == "<mailto:leave@example.jp>"


@pytest.mark.parametrize(
    "unsubscribe", ["https://example.jp/a b", "https://x/>\r\nX: y", Unsubscribe(), "https://x/a,b", "https://x/日本"]
)
def test_76_an_unsubscription_is_a_uri(unsubscribe):
    with pytest.raises(Unsendable, match="unsubscribe: expected"):
        composed(unsubscribe=unsubscribe)


def test_auto_submitted():
    assert seen(auto_submitted="auto-generated")["Auto-Submitted"] == "auto-generated"


def test_further_fields():
    message = seen(headers={"X-Job": "夜間バックアップ", "X-Tag": ["a", "b"]})
    assert message["X-Job"] == "夜間バックアップ"
    assert message.get_all("X-Tag") == ["a", "b"]


@pytest.mark.parametrize(
    "words",
    [
        {"subject": "a\r\nBcc: b@example.org"},
        {"subject": "a\nb"},
        {"subject": "a\0b"},
        {"headers": {"X-A": "a\r\n\r\nb"}},
        {"headers": {"X A": "a"}},
        {"headers": {"X-A:": "a"}},
        {"headers": {"Bcc": "b@example.org"}},
        {"headers": {"Content-Type": "text/html"}},
        {"from_": "a@example.org\nBcc: b@example.org"},
        {"to": [("a\r\nBcc: b@example.org", "a@example.org")]},
        {"attach": [Attachment(data=b"", filename="a\r\nX: y.txt")]},
        {"attach": [Attachment(data=b"", filename="a.txt", content_type="text/plain\r\nX: y")]},
        {"attach": [Attachment(data=b"", filename="a.png", content_id="a>\r\nX: y")]},
    ],
)
def test_76_no_word_brings_a_field_of_its_own(words):
    with pytest.raises((Unsendable, ValueError)):
        octets_of(**words)


# Its parts.


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, "text/plain"),
        ({"text": None}, "text/plain"),
        ({"html": "<p>本文"}, "alternative(text/plain, text/html)"),
        ({"text": None, "html": "<p>本文", "text_from_html": False}, "text/html"),
        ({"attach": [Attachment(data=b"%PDF", filename="見積書.pdf")]}, "mixed(text/plain, application/pdf)"),
        (
            {
                "html": "<img src='cid:a'>",
                "attach": [
                    Attachment(data=b"x", filename="a.png", content_id="a"),
                    Attachment(data=b"y", filename="b.png"),
                ],
            },
            "mixed(related(alternative(text/plain, text/html), image/png), image/png)",
        ),
        (
            {"calendar": "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"},
            "alternative(text/plain, text/calendar)",
        ),
        ({"text": None, "attach": [Attachment(data=b"x", filename="a.bin")]}, "application/octet-stream"),
    ],
)
def test_78_the_tree_is_as_readers_expect_it(words, expected):
    assert shape(seen(**words)) == expected


def test_79_a_calendar_says_its_method_twice():
    part = seen(calendar="BEGIN:VCALENDAR\nMETHOD:Request\nSUMMARY:会議\nEND:VCALENDAR\n").get_body(
        ("calendar",)
    ) or next(
        part
        for part in seen(calendar="BEGIN:VCALENDAR\nMETHOD:Request\nSUMMARY:会議\nEND:VCALENDAR\n").walk()
        if part.get_content_subtype() == "calendar"
    )
    assert part["Content-Type"].params["method"] == "REQUEST"
    assert "SUMMARY:会議" in part.get_content()
    with pytest.raises(Unsendable, match="calendar: expected an event with a line such as METHOD:REQUEST"):
        composed(calendar="BEGIN:VCALENDAR\nEND:VCALENDAR\n")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("見積書.pdf", "見積書.pdf"),
        ("/etc/見積書.pdf", "見積書.pdf"),
        ("C:\\Users\\taro\\見積書.pdf", "見積書.pdf"),
        ('a "b" c.pdf', 'a "b" c.pdf'),
        ("日本語の" * 30 + ".pdf", "日本語の" * 30 + ".pdf"),
        ("👨‍👩‍👧.pdf", "👨‍👩‍👧.pdf"),
    ],
)
@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp"])
def test_74_file_names_are_read_in_both_ways(given, shown, charset):
    [part] = seen(attach=[Attachment(data=b"%PDF", filename=given)], charset=Charsets(names=charset)).iter_attachments()
    assert part.get_filename() == shown
    assert part["Content-Type"].params["name"] == shown
    assert part.get_content() == b"%PDF"


def test_74_text_has_its_charset():
    attach = [
        Attachment(data="日本語のテキストです".encode("shift_jis"), filename="a.txt"),
        Attachment(data=b"a", filename="b.txt", charset="euc-jp"),
    ]
    first, second = seen(attach=attach).iter_attachments()
    assert first["Content-Type"].params["charset"] == "shift_jis"
    assert said(first) == "日本語のテキストです"
    assert second["Content-Type"].params["charset"] == "euc-jp"


def test_files_are_given_by_their_paths(tmp_path):
    path = tmp_path / "見積書.pdf"
    path.write_bytes(b"%PDF")
    for attach in (path, str(path), [path], [Attachment(path)], (path,)):
        [part] = seen(attach=attach).iter_attachments()
        assert (part.get_filename(), part.get_content(), part.get_content_type()) == (
            "見積書.pdf",
            b"%PDF",
            "application/pdf",
        )
    with pytest.raises(Unsendable, match="none: cannot be read: No such file"):
        composed(attach=tmp_path / "none")


def test_83_a_path_in_a_text_is_a_text(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("secret")
    assert b"secret" not in octets_of(text="x", html=f"<img src='{path.name}'>").replace(b"secret.txt", b"")


# Charsets.


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp", Charsets(header="iso-2022-jp")])
def test_every_charset_is_said_and_kept(charset):
    octets = octets_of(charset=charset, subject="長い件名" * 20)
    message = message_from_bytes(octets, policy=policy.default)
    header = charset.header if isinstance(charset, Charsets) else charset
    body = charset.body if isinstance(charset, Charsets) else charset
    assert f"Subject: =?{header}?B?".encode() in octets
    assert message.get_content_charset() == body
    assert message["Subject"] == "長い件名" * 20
    assert said(message) == "本文です。\n"


def test_73_what_a_charset_lacks_is_named():
    with pytest.raises(
        Unsendable, match=r"subject: cannot be written in iso-2022-jp: '😀' \(U\+1F600\) at character 3"
    ):
        composed(subject="絵文😀", charset="iso-2022-jp")
    with pytest.raises(Unsendable, match=r"text: .*'😀' \(U\+1F600\) at line 2 column 1"):
        composed(text="絵文\n😀\n", charset="iso-2022-jp")


def test_73_or_replaced_or_in_utf_8():
    assert seen(subject="絵文😀", charset="iso-2022-jp", unencodable="replace")["Subject"] == "絵文〓"
    message = seen(subject="絵文😀", charset="iso-2022-jp", unencodable="utf-8")
    assert message["Subject"] == "絵文😀"
    assert message.get_content_charset() == "iso-2022-jp"


def test_73_half_width_kana_become_full_where_the_charset_has_none():
    assert said(seen(text="ﾊﾝｶｸ", charset="iso-2022-jp")) == "ハンカク\n"
    assert said(seen(text="ﾊﾝｶｸ")) == "ﾊﾝｶｸ\n"
    assert said(seen(text="ﾊﾝｶｸ", kana="full")) == "ハンカク\n"


def test_octets_are_read_in_the_charset_that_they_are_in():
    for charset in ("shift_jis", "euc-jp", "iso-2022-jp", "utf-8"):
        assert said(seen(text="日本語の本文です。".encode(charset))) == "日本語の本文です。\n"
    assert said(seen(text="ñandú".encode("latin-1"), source_charset="latin-1")) == "ñandú\n"


@pytest.mark.parametrize(
    ("text", "charset", "expected"),
    [
        ("Hello\n", "utf-8", "7bit"),
        ("Olá, tudo bem por aí? Escrevo de Lisboa.\n", "utf-8", "quoted-printable"),
        ("日本語", "utf-8", "base64"),
        ("日本語", "iso-2022-jp", "7bit"),
        ("日本語" * 1000, "iso-2022-jp", "base64"),
        ("x" * 1000, "utf-8", "quoted-printable"),
        ("From here\n", "utf-8", "quoted-printable"),
        ("a  \n", "utf-8", "quoted-printable"),
    ],
)
def test_the_encoding_fits_the_text(text, charset, expected):
    message = seen(text=text, charset=charset)
    assert message["Content-Transfer-Encoding"] == expected
    assert said(message).rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "base64", "quoted-printable"])
def test_or_is_the_one_that_was_told(encoding):
    message = message_from_bytes(
        composed(text="日本", charset="iso-2022-jp", encoding=encoding).as_bytes(), policy=policy.default
    )
    assert (message["Content-Transfer-Encoding"], said(message)) == (encoding, "日本\n")


def test_what_does_not_fit_an_encoding_is_refused():
    with pytest.raises(Unsendable, match="text: expected text of seven bits for the encoding 7bit"):
        composed(encoding="7bit")
    with pytest.raises(Unsendable, match="text: expected lines of at most 998 octets"):
        composed(text="日本語" * 1000, charset="iso-2022-jp", encoding="7bit")
    with pytest.raises(Unsendable, match="encoding: expected one of"):
        composed(encoding="uuencode")


# Whom it names, whatever strangers have chosen for their names.


@pytest.mark.parametrize(
    "to",
    [
        ("taro@evil.example", "taro@example.jp"),
        [("Taro", "x@example.jp>, <evil@example.com")],
        [("", "a@example.jp, b@example.jp")],
        [("x", "Bob <a@example.jp>")],
        [("x", "a@example.jp,")],
    ],
)
def test_55_a_pair_is_one_recipient(to):
    with pytest.raises(Unsendable, match="to: expected"):
        composed(to=to)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("x@a.example; y@a.example", "x@a.example, y@a.example"),
        (",x@a.example,;", "x@a.example"),
        ("Team: x@a.example, B <y@a.example>;", "Team: x@a.example, B <y@a.example>;"),
        ("undisclosed-recipients:;", "undisclosed-recipients:;"),
        ("x <@hop.example:y@a.example>", "x <y@a.example>"),
        (".NET <a@b.example>", '".NET" <a@b.example>'),
        ("support@a.example <news@b.example>", '"support@a.example" <news@b.example>'),
        ("Yamada [Sales] <t@a.example>", '"Yamada [Sales]" <t@a.example>'),
        ("A.B.C: Inc <t@a.example>", '"A.B.C: Inc" <t@a.example>'),
        ("J. Smith <t@a.example>", "J. Smith <t@a.example>"),
        ("taro @a.example", "taro@a.example"),
    ],
)
def test_55_lists_are_written_as_every_reader_reads_them(to, expected):
    assert f"\r\nTo: {expected}\r\n".encode() in octets_of(to=to)


def test_a_name_that_looks_like_an_encoded_word_is_none():
    octets = octets_of(to=("=?utf-8?Q?evil=40x?=", "t@example.jp"))
    assert str(make_header(decode_header(message_from_bytes(octets)["To"]))).startswith("=?utf-8?Q?evil=40x?=")


def test_57_no_charset_changes_an_address():
    for words in ({"unencodable": "replace"}, {"unencodable": "error"}, {"kana": "full"}):
        octets = octets_of(to="u@münchen.example", charset="iso-2022-jp", **words)
        assert b"To: u@xn--mnchen-3ya.example\r\n" in octets
    assert composed(to='"ﾃｽﾄ" <a@example.jp>', charset="iso-2022-jp")["To"].addresses[0].addr_spec == "a@example.jp"
    assert seen(to="ﾃｽﾄ <a@example.jp>", charset="iso-2022-jp")["To"].addresses[0].display_name == "テスト"


def test_what_can_be_gone_through_once_is_enough(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    message = seen(to=iter(["t@example.jp"]), attach=tmp_path.glob("*.pdf"))
    assert message["To"] == "t@example.jp"
    assert [part.get_filename() for part in message.iter_attachments()] == ["a.pdf"]


def test_places_are_those_of_the_text_before_it_is_wrapped():
    for words in ({"wrap": 40}, {"flowed": True}):
        with pytest.raises(CannotEncode) as caught:
            compose(from_="a@example.jp", text="あ " * 100 + "한", charset="iso-2022-jp", **words)
        assert caught.value.characters == ((201, "한"),)


def test_lines_are_broken_as_wide_as_they_are_sent():
    text = compose(from_="a@example.jp", text="ｶﾞ" * 10, charset="iso-2022-jp", wrap=20, kana="full").get_content()
    assert text == "ガ" * 10 + "\n"


@pytest.mark.parametrize("wrap", [60, Wrapping(60)], ids=str)
def test_81_lines_flow_at_the_width_that_is_told(wrap):
    line = "word " * 40
    message = compose(from_="a@example.jp", text=line, flowed=True, wrap=wrap)
    lines = message.get_content().splitlines()
    assert max(map(len, lines)) == 60
    # Nothing is broken for good.
    assert unflowed(message.get_content(), delsp=False) == line.rstrip() + "\n"


@pytest.mark.parametrize(
    ("to", "hint"),
    [
        ("taro＠example.jp", "whose ＠ is full-width"),
        ("鈴木, 花子 <h@example.jp>", "a name with a comma stands in quotes, or in a pair"),
        (("taro@example.jp", "山田"), "expected a pair of name and address"),
        ("Team: a@example.jp, b@example.jp", "expected ';' behind the last of a group"),
    ],
)
def test_what_was_meant_is_guessed_for_people_only(to, hint):
    with pytest.raises(Unsendable, match=hint):
        composed(to=to)
