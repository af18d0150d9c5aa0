"""The data are the recipients: each row becomes a message of its own."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from itertools import count, islice

import pytest

from ninsho import Client, Options
from ninsho.mail.attachment import Attachment
from ninsho.mail.composing.words import Charsets, Unsubscribe
from ninsho.mail.content import dot_stuffed
from ninsho.mail.merging import mold
from ninsho.mail.merging.csv_rows import open_csv
from ninsho.mail.merging.merge import Merge, merge
from ninsho.mail.merging.values import Raw
from ninsho.mail.message import EVERYTHING, Preparer
from ninsho.mail.unsendable import Unsendable
from ninsho.testing import MailServer
from ninsho.wire.ehlo import Capabilities

WORDS = {
    "from_": "お店 <shop@example.jp>",
    "subject": "【お知らせ】{name}様へ",
    "text": "{name}様\n\nいつもありがとうございます。\n番号は {id} です。\n",
}
ROW = {"name": "山田太郎", "email": "taro@example.jp", "id": "7"}
SEVEN_BITS = Capabilities("", {"SIZE": ("1000000",)})


@pytest.fixture
def composed(monkeypatch):
    """Counts the messages that were composed in full."""
    calls = []
    compose = mold.compose

    def counting(**words):
        calls.append(words)
        return compose(**words)

    monkeypatch.setattr(mold, "compose", counting)
    return calls


def prepared(submission, capabilities=EVERYTHING, *, chunking=False):
    return Preparer(capabilities, chunking=chunking).prepare(submission)


def octets_of(submission, **others):
    return b"".join(prepared(submission, **others).content.plain())


def sent(row=ROW, **words):
    return message_from_bytes(octets_of(Merge(**{**WORDS, **words}).submission(row)), policy=policy.default)


def body(message, kind="plain"):
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")


def name_in(octets):
    return re.search(r"^To: (.*?)\s+<", octets.decode(), re.MULTILINE | re.DOTALL)[1]


def fault(row=ROW, **words):
    with pytest.raises(Unsendable) as caught:
        prepared(Merge(**{**WORDS, **words}).submission(row))
    return str(caught.value)


# One mail for each.


def test_each_row_has_a_message_of_its_own(composed):
    rows = [{**ROW, "name": name, "email": f"{name}@example.jp"} for name in ("ichiro", "jiro")]
    first, second = merge(rows, **WORDS)
    assert (first.sender, first.recipients) == ("shop@example.jp", ("ichiro@example.jp",))
    message = message_from_bytes(octets_of(second), policy=policy.default)
    assert message["To"] == "jiro <jiro@example.jp>"
    assert message["Subject"] == "【お知らせ】jiro様へ"
    assert body(message) == "jiro様\n\nいつもありがとうございます。\n番号は 7 です。\n"
    # Composed with marks, and never again.
    assert len(composed) == 1


def test_rows_are_taken_one_at_a_time():
    endless = merge(({**ROW, "id": number} for number in count()), **WORDS)
    assert isinstance(endless, Iterator)
    assert len({prepared(one).message_id for one in islice(endless, 100)}) == 100


def test_a_row_is_read_at_once_as_its_object_may_be_used_again():
    row = dict(ROW)
    submission = Merge(**WORDS).submission(row)
    row.update(name="鈴木", email="suzuki@example.jp")
    assert b"suzuki" not in octets_of(submission)
    assert submission.recipients == ("taro@example.jp",)


def test_a_message_is_the_same_as_often_as_it_is_made():
    merge_of = Merge(
        **WORDS, clock=iter([datetime(2026, 11, 22, second=second, tzinfo=UTC) for second in (1, 2)]).__next__
    )
    first, second = merge_of.submission(ROW), merge_of.submission(ROW)
    assert octets_of(first) == octets_of(first)
    assert [re.search(rb"Date: .*:(\d\d) ", octets_of(one))[1] for one in (first, second)] == [b"01", b"02"]


def test_77_the_message_id_is_of_the_author_s_domain():
    prepared_one = prepared(Merge(**{**WORDS, "from_": "店 <shop@例え.jp>"}).submission(ROW))
    assert re.fullmatch(r"<[0-9a-f]{16}\.1@xn--r8jz45g\.jp>", prepared_one.message_id)


def test_words_without_fields_stay_and_braces_are_doubled():
    message = sent(subject="{{name}}", text="100% {{x}}\n", headers={"X-Campaign": "autumn {id}"}, cc="boss@example.jp")
    assert (message["Subject"], body(message), message["X-Campaign"]) == ("{name}", "100% {x}\n", "autumn 7")


def test_all_recipients_of_a_row_stand_in_its_envelope_and_blind_ones_nowhere_else():
    words = {
        **WORDS,
        "to": "{email}",
        "cc": ["boss@example.jp", ("係 {id}", "kakari{id}@example.jp")],
        "bcc": "box@example.jp",
    }
    submission = Merge(**words).submission(ROW)
    assert submission.recipients == ("taro@example.jp", "boss@example.jp", "kakari7@example.jp", "box@example.jp")
    octets = octets_of(submission)
    assert b"box@" not in octets
    assert message_from_bytes(octets, policy=policy.default)["Cc"] == "boss@example.jp, 係 7 <kakari7@example.jp>"


def test_the_author_may_be_a_value():
    submission = Merge(**{**WORDS, "from_": "{shop} <{from}>", "to": "{email}"}).submission(
        {**ROW, "shop": "銀座店", "from": "g@example.jp"}
    )
    assert submission.sender == "g@example.jp"
    assert message_from_bytes(octets_of(submission), policy=policy.default)["From"] == "銀座店 <g@example.jp>"


def test_options_go_with_each():
    options = Options(notify=["FAILURE"])
    assert Merge(**WORDS, options=options).submission(ROW).options is options


# Other syntaxes.


def test_percents_as_qdmail_has_them():
    message = sent(fields="percent", subject="%name%様", text="%name%様、50% off %unknown%\n")
    assert (message["Subject"], body(message)) == ("山田太郎様", "山田太郎様、50% off %unknown%\n")
    assert message["To"] == "山田太郎 <taro@example.jp>"


def test_jinja_for_those_who_want_more():
    text = "{% for item in items %}・{{ item }}\n{% endfor %}"
    message = sent(
        {**ROW, "items": ["りんご", "みかん"]},
        fields="jinja",
        subject="{{ name }}様",
        text=text,
        html="<p>{{ items[0] }}<br>{{ tag }}</p>",
        defaults={"tag": "<x>"},
    )
    assert body(message).rstrip() == "・りんご\n・みかん"
    assert body(message, "html") == "<p>りんご<br>&lt;x&gt;</p>\n"


# What values may hold.


def test_82_values_are_escaped_in_html_and_nowhere_else():
    row = {**ROW, "name": '<b>"T&D"</b>'}
    message = sent(row, html="<p title='{name}'>{name}</p>")
    assert (
        body(message, "html")
        == "<p title='&lt;b&gt;&quot;T&amp;D&quot;&lt;/b&gt;'>&lt;b&gt;&quot;T&amp;D&quot;&lt;/b&gt;</p>\n"
    )
    assert body(message).startswith('<b>"T&D"</b>様')


def test_82_html_is_not_escaped_twice():
    row = {**ROW, "link": Raw("<a href='https://example.jp/'>ここ</a>")}
    message = sent(row, html="<p>{link}</p>")
    assert body(message, "html") == "<p><a href='https://example.jp/'>ここ</a></p>\n"


def test_82_no_value_makes_a_field():
    for place in ("name", "id"):
        row = {**ROW, place: "x\r\nBcc: victim@example.org"}
        assert fault(row, headers={"X-Id": "{id}"}).startswith("row 1: ")
    assert fault({**ROW, "name": "a\nb"}) == "row 1: to: {name}: expected one line, got 'a\\nb' with '\\n'"


@pytest.mark.parametrize(
    "name",
    [
        "Smith, John",
        'a" <victim@example.org>, "b',
        "x@y.example",
        "a\\",
        "=?utf-8?Q?x?=",
        "(c) d",
        "山田, 太郎",
        "",
        "  ",
    ],
)
def test_76_no_name_makes_a_recipient(name):
    submission = Merge(**WORDS).submission({**ROW, "name": name})
    assert submission.recipients == ("taro@example.jp",)
    [box] = message_from_bytes(octets_of(submission), policy=policy.default)["To"].addresses
    assert box.addr_spec == "taro@example.jp"
    assert box.display_name == name.strip() or name.startswith("=?")


@pytest.mark.parametrize(
    "email",
    [
        "a@example.jp, victim@example.org",
        "a@example.jp> , <victim@example.org",
        "",
        None,
        "taro",
        "a b@example.jp",
        "a@example.jp\nRCPT TO:<x@y.example>",
    ],
)
def test_76_no_value_makes_a_second_address(email):
    for to in ("{email}", "{name} <{email}>"):
        submission = Merge(**WORDS, to=to).submission({**ROW, "email": email})
        assert submission.recipients == ()
        with pytest.raises(Unsendable, match=r"^row 1: "):
            prepared(submission)


def test_a_value_may_be_a_mailbox_with_its_name():
    submission = Merge(**WORDS).submission({"to": '"山田, 太郎" <taro@example.jp>', "name": "", "id": 1})
    assert submission.recipients == ()
    whole = Merge(**WORDS, to="{to}").submission({"to": '"山田, 太郎" <taro@example.jp>', "name": "", "id": 1})
    assert whole.recipients == ("taro@example.jp",)
    assert message_from_bytes(octets_of(whole), policy=policy.default)["To"] == '"山田, 太郎" <taro@example.jp>'


def test_addresses_of_docomo_and_of_other_scripts():
    assert Merge(**WORDS).submission({**ROW, "email": "a..b.@docomo.ne.jp"}).recipients == ("a..b.@docomo.ne.jp",)
    message = sent({**ROW, "email": "taro@例え.jp"})
    assert message["To"].addresses[0].domain == "xn--r8jz45g.jp"
    octets = octets_of(Merge(**WORDS).submission({**ROW, "email": "太郎@example.jp"}))
    assert "<太郎@example.jp>".encode() in octets


# What is wrong is said, where it matters.


def test_a_field_that_no_row_has_is_a_mistake_in_the_template_and_stops_the_first():
    with pytest.raises(
        Unsendable,
        match=r"^text: line 1: expected a field that names a column, got 'nmae': the columns are name, email, id; ",
    ):
        list(merge([ROW, ROW], **{**WORDS, "text": "{nmae}"}))
    assert list(merge([ROW], **{**WORDS, "text": "{nmae}"}, defaults={"nmae": "x"}))
    assert list(merge([ROW], **{**WORDS, "text": "{nmae}"}, missing="empty"))


def test_a_style_that_reads_as_a_field_says_how_braces_are_written():
    html = "<style>\np {color: red}\n</style><p>{name}</p>"
    with pytest.raises(
        Unsendable, match=r"^html: line 2: expected a field .*, got 'color': .*; a brace is written "
    ) as caught:
        next(merge([ROW], **WORDS, html=html))
    assert 'fields="percent"' in str(caught.value)
    assert "<p>山田太郎</p>" in body(sent(html=html.replace("{name}", "%name%"), fields="percent"), "html")


def test_an_address_that_is_empty_names_its_column():
    for to in (None, "{email}", "{name} <{email}>"):
        said = fault({**ROW, "email": " "}, to=to) if to else fault({**ROW, "email": ""})
        assert said == "row 1: to: expected an address, got none: the column email is empty"
    assert fault({**ROW, "email": ""}, fields="percent", to="%email%").endswith(": the column email is empty")


@pytest.mark.parametrize("others", [{}, {"fields": "percent"}, {"missing": "keep"}])
def test_a_row_without_a_name_has_an_address_still(others):
    words = {"from_": "shop@example.jp", "subject": "News", "text": "Hello.\n", **others}
    rows = [ROW, {**ROW, "name": None}, {"email": "jiro@example.jp"}]
    found = [message_from_bytes(octets_of(one), policy=policy.default)["To"] for one in merge(rows, **words)]
    assert found == ["山田太郎 <taro@example.jp>", "taro@example.jp", "jiro@example.jp"]


def test_a_name_that_the_text_needs_is_needed():
    assert fault({**ROW, "name": None}) == "row 1: expected a value for {name}, got none"


def test_rows_without_an_address_are_a_mistake_as_well():
    with pytest.raises(
        Unsendable, match=r"^expected the word to, or a column such as email, mail or メールアドレス, got name, id$"
    ):
        next(merge([{"name": "x", "id": 1}], **WORDS))


def test_words_that_are_none_are_told_at_once():
    with pytest.raises(TypeError, match="subjekt"):
        merge([], from_="shop@example.jp", subjekt="x")
    with pytest.raises(TypeError, match="from_"):
        merge([])
    with pytest.raises(Unsendable, match="fields: expected one of braces, percent, jinja, got 'php'"):
        merge([], from_="shop@example.jp", fields="php")
    with pytest.raises(Unsendable, match="from_"):
        merge([], from_="shop", to="{email}")


def test_what_is_wrong_with_a_row_names_it():
    rows = Merge(**WORDS)
    assert rows.submission(ROW)
    with pytest.raises(Unsendable, match=r"^row 2: expected a value for \{id\}, got none$"):
        prepared(rows.submission({**ROW, "id": None}))


def test_a_character_that_the_charset_lacks_is_said_of_its_row():
    assert fault({**ROW, "name": "😀"}, charset="iso-2022-jp").startswith("row 1: ")
    assert body(sent({**ROW, "name": "😀"}, charset="iso-2022-jp", unencodable="replace")).startswith("〓様")
    assert body(sent({**ROW, "name": "😀"}, charset="iso-2022-jp", unencodable="utf-8")).startswith("😀様")


def test_a_bad_row_has_a_receipt_and_stops_nothing():
    rows = [ROW, {**ROW, "email": "nobody"}, {**ROW, "id": None}, {**ROW, "email": "jiro@example.jp"}]
    with MailServer() as server, Client(server.url) as client:
        receipts = list(client.send_many(merge(rows, **WORDS)))
    assert [receipt.ok for receipt in receipts] == [True, False, False, True]
    assert [list(message.recipients) for message in server.messages] == [["taro@example.jp"], ["jiro@example.jp"]]
    assert str(receipts[2].error) == "row 3: expected a value for {id}, got none"
    assert receipts[2].fates[0].recipient == "taro@example.jp"
    assert not server.violations


def test_a_line_with_a_value_too_many_has_a_receipt_and_stops_nothing(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("id,email,name\n1,a@example.jp,A\n2,b@example.jp,B,x\n3,c@example.jp,C\n", encoding="utf-8")
    with MailServer() as server, Client(server.url) as client:
        receipts = list(client.send_many(merge(open_csv(file), **WORDS)))
    assert [receipt.ok for receipt in receipts] == [True, False, True]
    assert str(receipts[1].error) == "list.csv line 3: expected at most 3 values, got 4"
    assert [list(message.recipients) for message in server.messages] == [["a@example.jp"], ["c@example.jp"]]


# Forms of body and header.


@pytest.mark.parametrize(
    "charset", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp", Charsets(header="iso-2022-jp", body="utf-8")]
)
@pytest.mark.parametrize("encoding", ["auto", "base64", "quoted-printable"])
def test_all_encodings_are_filled_without_composing(charset, encoding, composed):
    rows = Merge(**WORDS, charset=charset, encoding=encoding)
    for row in (ROW, {**ROW, "id": "A & B", "name": "鈴木 花子"}):
        message = message_from_bytes(octets_of(rows.submission(row), capabilities=SEVEN_BITS), policy=policy.default)
        assert message["Subject"] == f"【お知らせ】{row['name']}様へ"
        text = message.get_payload(decode=True).decode(message.get_content_charset())
        assert text.replace("\r\n", "\n") == WORDS["text"].format(**row)
    assert len(composed) <= 1 + 1


def test_eight_bits_are_made_fit_for_the_server():
    submission = Merge(**WORDS, encoding="8bit").submission(ROW)
    assert "番号は 7 です".encode() in octets_of(submission)
    found = octets_of(submission, capabilities=SEVEN_BITS)
    assert found.isascii()
    assert body(message_from_bytes(found, policy=policy.default)) == WORDS["text"].format(**ROW)


def test_a_template_of_ascii_takes_other_letters_too(composed):
    words = {**WORDS, "subject": "News for {name}", "text": "Dear {name},\n\nGood news.\n"}
    rows = Merge(**words)
    plain, other = rows.submission({**ROW, "name": "Taro"}), rows.submission(ROW)
    assert b"Content-Transfer-Encoding: 7bit\r\n\r\nDear Taro,\r\n" in octets_of(plain)
    assert body(message_from_bytes(octets_of(other), policy=policy.default)) == "Dear 山田太郎,\n\nGood news.\n"
    # Twice with marks.
    assert len(composed) == 2


def test_72_encoded_words_are_short_and_whole():
    for name in ("山" * 12, "山" * 13, "山" * 14, "山" * 60, "a山" * 20, "Taro 山田", "👨‍👩‍👧 山田", "Привет" * 9):
        for charset in ("utf-8", "iso-2022-jp"):
            row = {**ROW, "name": name}
            if charset == "iso-2022-jp" and not name.isascii() and "👨" in name:
                continue
            octets = octets_of(Merge(**WORDS, charset=charset).submission(row))
            message = message_from_bytes(octets, policy=policy.default)
            assert message["Subject"] == f"【お知らせ】{name}様へ"
            # Python's parser of addresses keeps the space between encoded words.
            assert str(make_header(decode_header(name_in(octets)))) == name
            header = octets.partition(b"\r\n\r\n")[0]
            assert max(map(len, header.split(b"\r\n"))) <= 76
            for word in re.findall(rb"=\?[^?]+\?[BQ]\?[^?]*\?=", header):
                assert len(word) <= 75
                assert message_from_bytes(b"Subject: " + word + b"\n\n", policy=policy.default)["Subject"].defects == ()


def test_half_width_kana_are_made_wide_where_the_charset_has_none(composed):
    message = sent({**ROW, "name": "ﾔﾏﾀﾞ"}, charset="iso-2022-jp")
    assert message["Subject"] == "【お知らせ】ヤマダ様へ"
    assert message.get_content().startswith("ヤマダ様")
    assert len(composed) == 1
    # A voiced mark may belong to what stands in front of the place.
    assert body(sent({**ROW, "name": "ﾞ"}, text="ﾔﾏﾀ{name}", charset="iso-2022-jp")) == "ヤマダ\n"


def test_wrapped_text_is_wrapped_with_its_values(composed):
    text = "{name}様、" + "あいうえお" * 10 + "\n"
    for name in ("山", "山田太郎左衛門"):
        lines = sent({**ROW, "name": name}, text=text, wrap=40).get_content().splitlines()
        assert "".join(lines) == text.format(name=name).strip()
        assert max(len(line) * 2 for line in lines) <= 42
    assert len(composed) == 2


def test_flowed_text_is_composed_in_full(composed):
    message = sent(text="{name} " + "word " * 40, flowed=True)
    assert message.get_param("format") == "flowed"
    assert len(composed) == 1


def test_text_made_of_html_has_the_values_as_text(composed):
    rows = Merge(from_="shop@example.jp", to="{email}", html="<h1>{name}様</h1><p>番号は {id} &amp; です。</p>")
    message = message_from_bytes(
        octets_of(rows.submission({**ROW, "name": "<T&D>", "id": "a\n b"})), policy=policy.default
    )
    assert body(message).split() == ["<T&D>様", "番号は", "a", "b", "&", "です。"]
    assert len(composed) == 1
    message = message_from_bytes(octets_of(rows.submission({**ROW, "id": Raw("<i>七</i>")})), policy=policy.default)
    assert "七" in body(message)
    assert "<" not in body(message)


def test_an_image_whose_name_is_a_value_is_found(tmp_path):
    pixel = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
    (tmp_path / "7.gif").write_bytes(pixel)
    message = sent(html="<img src='{id}.gif' alt=''>", images=tmp_path)
    assert any(part.get_content_type() == "image/gif" for part in message.walk())


@pytest.mark.parametrize(
    ("told", "row", "expected"),
    [
        ("https://example.jp/u?m={email}", ROW, "<https://example.jp/u?m=taro%40example.jp>"),
        ("{url}", {**ROW, "url": "https://example.jp/u/7"}, "<https://example.jp/u/7>"),
        ("{url}", {**ROW, "url": "http://example.jp/u/7"}, "<http://example.jp/u/7>"),
        (
            Unsubscribe(mailto="leave+{id}@example.jp", url="https://example.jp/{id}"),
            ROW,
            "<mailto:leave+7@example.jp>, <https://example.jp/7>",
        ),
    ],
)
def test_79_how_to_leave_is_said_for_each(told, row, expected):
    message = sent(row, unsubscribe=told)
    assert re.sub(r"\s+", " ", message["List-Unsubscribe"]) == expected
    assert (message["List-Unsubscribe-Post"] is not None) == ("https:" in expected)


def test_79_no_value_makes_a_second_way_to_leave():
    assert fault({**ROW, "url": "https://example.jp/>, <https://evil.example/"}, unsubscribe="{url}").startswith(
        "row 1: unsubscribe: "
    )
    assert (
        sent(
            {**ROW, "email": "a,b@example.jp", "to": "x@example.jp"},
            to="{to}",
            unsubscribe="https://example.jp/{email}",
        )["List-Unsubscribe"]
        == "<https://example.jp/a%2Cb%40example.jp>"
    )


# What is alike is shared.


def test_attachments_are_encoded_once_and_not_copied(composed):
    data = bytes(range(256)) * 4096
    rows = Merge(
        **WORDS, attach=[Attachment(data=data, filename="見積書.bin"), Attachment(data=b".\r\n.\r\n", filename="b.txt")]
    )
    first, second = (prepared(rows.submission({**ROW, "id": number})) for number in (1, 2))
    one, other = (list(ready.content.plain()) for ready in (first, second))
    assert one[0] != other[0]
    assert all(piece is shared for piece, shared in zip(one[1:], other[1:], strict=True))
    assert first.content.size == sum(map(len, one))
    assert list(first.content.stuffed()) == one
    file, small = list(message_from_bytes(b"".join(one), policy=policy.default).iter_attachments())
    assert (file.get_filename(), file.get_content(), small.get_payload(decode=True)) == (
        "見積書.bin",
        data,
        b".\r\n.\r\n",
    )
    assert len(composed) == 1


def test_a_path_with_a_field_is_a_file_for_each_row(tmp_path, composed):
    for number in (1, 2):
        (tmp_path / f"{number}.pdf").write_bytes(b"%%PDF %d" % number)
    (tmp_path / "{all}.pdf").write_bytes(b"all")
    for attach in (
        [f"{tmp_path}/{{id}}.pdf", tmp_path / "{all}.pdf"],
        (Attachment(f"{tmp_path}/{{id}}.pdf", content_type="application/pdf"), f"{tmp_path}/{{{{all}}}}.pdf"),
    ):
        composed.clear()
        rows = Merge(**WORDS, attach=attach)
        for number in (1, 2):
            octets = octets_of(rows.submission({**ROW, "id": number}))
            own, shared = message_from_bytes(octets, policy=policy.default).iter_attachments()
            assert (own.get_filename(), own.get_content()) == (f"{number}.pdf", b"%%PDF %d" % number)
            assert (shared.get_filename(), shared.get_content()) == ("{all}.pdf", b"all")
        assert len(composed) == 2


@pytest.mark.parametrize(
    "value",
    [
        "../secret",
        "a/../../secret",
        "/etc/passwd",
        "..",
        ".hidden",
        "sub/.hidden",
        "..\\secret",
        "C:secret",
        "link/secret",
    ],
)
@pytest.mark.parametrize("beginning", ["{}/box/", "", "./"])
def test_83_no_value_leads_to_a_file_elsewhere(value, beginning, tmp_path, monkeypatch):
    box = tmp_path / "box"
    (box / "sub").mkdir(parents=True)
    (box / "link").symlink_to(tmp_path)
    for file in (tmp_path / "secret", box / ".hidden", box / "sub" / ".hidden", box / "..\\secret", box / "C:secret"):
        file.write_bytes(b"x")
    monkeypatch.chdir(box)
    said = fault({**ROW, "id": value}, attach=beginning.format(tmp_path) + "{id}")
    assert said.startswith("row 1: attach: expected a file in ")


def test_a_file_that_is_not_there_is_the_fault_of_its_row(tmp_path):
    assert fault(attach=[f"{tmp_path}/{{id}}.pdf"]) == (
        f"row 1: attach: {tmp_path}/7.pdf: cannot be read: No such file or directory"
    )


def test_lines_that_begin_with_a_dot_arrive():
    text = "Hello\n.{name}\n{id}\n" + ".\n" * 3000
    row = {**ROW, "name": ".x", "id": "."}
    with MailServer() as server, Client(server.url) as client:
        [receipt] = client.send_many(merge([row], **{**WORDS, "subject": "x", "text": text}))
    assert receipt.ok
    [message] = server.messages
    assert body(message_from_bytes(message.content, policy=policy.default)) == text.format(**row)


@pytest.mark.parametrize("encoding", ["auto", "base64"])
def test_dots_are_stuffed_in_what_is_shared_as_in_the_rest(encoding):
    words = {
        **WORDS,
        "text": ".{name}\n" + ".dots\n" * 2000,
        "encoding": encoding,
        "attach": [Attachment(data=b"x" * 9000, filename="x")],
    }
    content = prepared(Merge(**words).submission({**ROW, "name": ".x"})).content
    assert b"".join(content.stuffed()) == dot_stuffed(b"".join(content.plain()))
    assert len(list(content.plain())) == 2


def test_styles_are_moved_to_where_values_stand(composed):
    html = "<style>p {{ color: {colour} }}</style><p title='{name}'>{name}</p>"
    message = sent({**ROW, "colour": "red"}, html=html, inline_css=True)
    assert re.search(r'<p [^>]*style="color: ?red;?"', body(message, "html"))
    # With marks, for ASCII and for more: never for a row.
    assert len(composed) == 2


# Envelope senders and signatures.


def test_bounces_tell_whose_they_are():
    def sender(verp):
        return Merge(**WORDS, verp=verp).submission(ROW).sender

    assert sender(verp=True) == "shop+taro=example.jp@example.jp"
    assert sender("bounces@news.example.jp") == "bounces+taro=example.jp@news.example.jp"
    assert sender(lambda row: f"b-{row['id']}@example.jp") == "b-7@example.jp"


class Stamp:
    def sign(self, octets):
        return b"X-Stamp: %d\r\n" % len(octets) + octets


def test_each_is_signed_behind_all_that_changes_it():
    submission = Merge(**WORDS, sign=[Stamp()]).submission(ROW)
    octets = octets_of(submission)
    first, _, rest = octets.partition(b"\r\n")
    assert first == b"X-Stamp: %d" % len(rest)
    assert prepared(submission).message_id in rest.decode()
