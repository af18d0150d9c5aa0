import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp50221_characters import DOUBLE_WIDTH
from ninsho.mail.charsets.charset import charset
from ninsho.mail.charsets.detection import decoded, detect

JAPANESE = ["iso-2022-jp", "utf-8", "euc-jp", "shift_jis"]
KANA = [chr(code) for code in (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7))]
LETTER = "こんにちは、東京の髙橋です。①メールをご覧ください。\r\nURL: https://example.jp/\r\n"

japanese = st.lists(
    st.sampled_from(KANA) | st.sampled_from(KANA + DOUBLE_WIDTH) | st.sampled_from("abc 123.\r\n"), min_size=20
).map("".join)
labelled = pytest.mark.parametrize(
    "label", [None, "", "x-unknown", "unknown-8bit", "us-ascii", "iso-8859-1", *JAPANESE]
)
written = pytest.mark.parametrize("name", JAPANESE)


def some_kana(text):
    return sum(char in KANA for char in text) >= 5


@written
@given(text=japanese.filter(some_kana))
def test_texts_with_kana_are_recognised(name, text):
    assert detect(charset(name).encode(text)) == charset(name)
    assert decoded(charset(name).encode(text)) == text


@written
@labelled
def test_a_wrong_label_is_not_believed(name, label):
    assert decoded(charset(name).encode(LETTER), declared=label) == LETTER


@written
@pytest.mark.parametrize("label", ["windows-1252", "koi8-r", "iso-8859-15", "hz", "iso-2022-kr"])
def test_a_wrong_label_from_abroad_is_not_believed(name, label):
    assert decoded(charset(name).encode(LETTER), declared=label) == LETTER


@pytest.mark.parametrize("text", ["髙橋様", "①②③", "ﾒｰﾙﾏｶﾞｼﾞﾝ", "㈱山田", "～－∥", "ﾃｽﾄ", "漢字", "予約確認"], ids=ascii)
@written
def test_what_windows_adds_is_read_by_the_usual_labels(name, text):
    assert decoded(charset(name).encode(text), declared=name) == text


@pytest.mark.parametrize("text", ["東京", "予約", "確認", "山田太郎", "第1回", "メール", "ソフト", "ﾃｽﾄ"], ids=ascii)
@written
def test_short_texts_are_recognised(name, text):
    assert decoded(charset(name).encode(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("café", "été", "créée, déçu", "it’s nice", "“Hello,” I said", "Füße über Öl", "ESPAÑA", "naïve façade"),
        *("À bientôt", "smörgåsbord", "coração", "¿Qué?"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("label", [None, "x-unknown", "us-ascii", "iso-8859-1", "windows-1252", "utf-8", "iso-2022-jp"])
def test_western_letters_are_not_taken_for_japanese(text, label):
    assert decoded(text.encode("cp1252"), declared=label) == text


@pytest.mark.parametrize("text", ["créée", "INFORMAÇÃO", "ÄÖÜ", "ЖЖЖ"], ids=ascii)
@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1252", "koi8-r", "windows-1251", "iso-8859-5"])
def test_a_label_that_fits_is_believed(text, label):
    try:
        octets = text.encode(label)
    except UnicodeEncodeError:
        return
    assert decoded(octets, declared=label) == text


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("你好，世界。再见", "gb2312"),
        ("你好，世界。再见", "hz"),
        ("你好，世界。再見", "big5"),
        ("안녕하세요 ㅋㅋㅋㅋ", "euc-kr"),
        ("안녕하세요", "iso-2022-kr"),
        ("Привет, мир", "koi8-r"),
        ("Привет, мир", "windows-1251"),
        ("สวัสดี", "tis-620"),
        ("ﾊｲ", "shift_jis"),
        ("ｱｲ､ｳ", "shift_jis"),
        ("ﾅｽﾅｽ", "shift_jis"),
        ("両方", "utf-16"),
        ("両方", "utf-16le"),
        ("é < ü", "utf-7"),
    ],
)
def test_a_right_label_is_believed(text, label):
    assert decoded(text.encode(label.replace("shift_jis", "cp932")), declared=label) == text


@pytest.mark.parametrize(
    ("octets", "label", "text"),
    [
        (b"\x1b$B-!\x1b(B", "iso-2022-jp-2", "①"),
        (b"\x1b$A0!\x1b.A\x1bNi\x1b(B", "iso-2022-jp-2", "啊é"),
        ("漢字".encode("gb18030"), "gb2312", "漢字"),
        ("똠방각하".encode("cp949"), "euc-kr", "똠방각하"),
        ("“ş”".encode("cp1254"), "iso-8859-9", "“ş”"),
        ("“quoted”".encode("cp1252"), "iso-8859-1", "“quoted”"),
    ],
)
def test_a_label_stands_for_what_windows_writes_by_it(octets, label, text):
    assert decoded(octets, declared=label) == text


@pytest.mark.parametrize("label", [None, "utf-8", "iso-8859-1", "shift_jis"])
def test_a_byte_order_mark_is_no_text(label):
    assert decoded("\ufeff漢字です".encode(), declared=label) == "漢字です"


def test_a_byte_order_mark_says_utf_16():
    assert detect("漢字".encode("utf-16")) == charset("utf-16")
    assert decoded("漢字".encode("utf-16")) == "漢字"
    assert decoded(b"\xfe\xff" + "漢字".encode("utf-16-be")) == "漢字"


@written
@pytest.mark.parametrize("labelled_so", [True, False])
def test_a_text_that_was_cut_is_still_recognised(name, labelled_so):
    octets = charset(name).encode("本日は晴天なり" * 5 + "。")
    cut = octets[: octets.rindex(b"\x1b") - 1] if name == "iso-2022-jp" else octets[:-1]
    text = decoded(cut, declared=name if labelled_so else None)
    assert text.rstrip("\ufffd") == "本日は晴天なり" * 5
    assert text.endswith("\ufffd")


def test_plain_text_is_ascii():
    assert detect(b"") == charset("us-ascii")
    assert detect(b"plain\r\n") == charset("us-ascii")
    assert decoded(b"plain", declared="nonsense") == "plain"


@given(
    st.binary(), st.none() | st.sampled_from([*JAPANESE, "iso-8859-1", "utf-16", "utf-7", "gb2312", "hz"]) | st.text()
)
def test_anything_is_read_somehow(octets, label):
    assert decoded(octets, declared=label).isprintable() in (True, False)


def test_half_a_surrogate_pair_is_no_text():
    assert decoded(b"+2AA-x", declared="utf-7") == "\N{REPLACEMENT CHARACTER}x"
    assert decoded(b"+2D3eAA-x", declared="utf-7") == "\N{GRINNING FACE}x"


def test_long_octets_that_are_in_nothing_take_no_long_time():
    # A pattern that begins anew at each octet would take hours.
    assert detect(b"\xd0\xa1" * 500_000 + b"\xff") is not None
    assert detect(b"\x0e!" * 500_000) is not None
