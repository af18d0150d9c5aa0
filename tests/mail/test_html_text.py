import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.html.text import text_of
from ninsho.mail.unsendable import Unsendable


def test_paragraphs_headings_and_lines():
    assert text_of("<h1>お知らせ</h1><p>日本語の<b>太字</b>です。<br>次の行</p><hr><p>終わり") == (
        "お知らせ\n\n日本語の太字です。\n次の行\n\n" + "-" * 40 + "\n\n終わり\n"
    )


def test_links_are_followed_by_their_urls():
    assert text_of('<a href="https://example.jp/">こちら</a>へ') == "こちら <https://example.jp/>へ\n"
    assert text_of('<a href="https://example.jp/a"><img src="a.png"></a>') == "<https://example.jp/a>\n"
    assert (
        text_of('<a href="https://example.jp/a"><img src="a.png" alt="地図"></a>') == "[地図] <https://example.jp/a>\n"
    )
    assert text_of('<a href="mailto:info@example.jp"><b>問い合わせ</b></a>') == "問い合わせ <mailto:info@example.jp>\n"


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("https://example.jp/", "https://example.jp/"),
        ("https://example.jp/", "example.jp"),
        ("https://Example.jp", "http://example.jp/"),
        ("mailto:info@example.jp", "info@example.jp"),
        ("tel:0312345678", "0312345678"),
        ("https://example.jp/%E6%97%A5", "https://example.jp/日"),
        ("#top", "上へ"),
        ("news.html", "news"),
        ("javascript:alert(1)", "x"),
        ("", "x"),
    ],
)
def test_a_url_that_says_nothing_new_is_left_out(target, label):
    assert text_of(f'<p><a href="{target}">{label}</a></p>') == f"{label}\n"


def test_images_are_told_by_their_alternative_text():
    assert (
        text_of('<p><img src="a.png" alt="花の写真">です<img src="spacer.gif" alt=""><img src=x alt=" "></p>')
        == "[花の写真]です\n"
    )


def test_lists():
    assert text_of("<ul><li>一<li>二<ol><li>甲</li><li>乙</li></ol></ul>") == "  * 一\n  * 二\n     1. 甲\n     2. 乙\n"


def test_the_columns_of_a_table_are_as_wide_as_they_look():
    rows = (
        "<tr><th>名前</th><th>金額</th></tr><tr><td>山田太郎</td><td>1,000円</td></tr><tr><td>Tim</td><td>5円</td></tr>"
    )
    assert text_of(f"<table>{rows}</table>") == "名前      金額\n山田太郎  1,000円\nTim       5円\n"


def test_what_is_not_seen_is_no_text():
    html = """<!DOCTYPE html><html><head><title>題</title><style>p { color: red }</style><meta charset=shift_jis></head><body>
    <script>alert("x")</script><style>b {}</style><p style="display: none">隠し</p><p hidden>隠し</p><!-- 注 --><!--[if mso]><p>x</p><![endif]-->
    <p>本文</p><template>x</template></body></html>"""
    assert text_of(html) == "本文\n"


def test_fillers_behind_the_first_words_leave_nothing():
    assert text_of("<div>最初の言葉" + "&zwnj;&nbsp;&#8203;&#847;" * 50 + "</div><p>本文</p>") == "最初の言葉\n\n本文\n"
    assert text_of("<p>👨\u200d👩\u200d👧 a&nbsp;b</p>") == "👨\u200d👩\u200d👧 a b\n"


def test_a_line_end_in_the_source_is_no_space_between_east_asian_characters():
    assert text_of("<p>日本語の\n  文章が\n続き and\nso on</p>") == "日本語の文章が続き and so on\n"
    assert text_of("<pre>日本語の\n  文章</pre>") == "日本語の\n  文章\n"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("", ""),
        (" \n ", ""),
        ("文字だけ", "文字だけ\n"),
        ("<", "<\n"),
        ("<p", ""),
        ("<!-- 終わらない", ""),
        ("<p>a</b></i>b<td>c", "ab\n\nc\n"),
        ('<?xml version="1.0" encoding="shift_jis"?><p>日本', "日本\n"),
        ("<p>a\0b\ud800c", None),
        ("<a href='https://x/&#1;'>a\x1b&#2;<img alt='&#3;x'>", "a[x] <https://x/>\n"),
        ("&amp;&lt;&#12354;&unknown;", "&<あ&unknown;\n"),
        ('<p style="margin-top: 999999999999em; padding-left: 9999999999em">x', "x\n"),
        ('<ol start="99999999999999999999"><li value=x>x', None),
        ('<td rowspan="99999999" colspan=99999999 width=9999999>x', "x\n"),
        ("<div>" * 300 + "x", "x\n"),
        ("<div>" * 3000 + "x" + "</div>" * 3000 + "<p>y", "x\n\ny\n"),
        ("<b>" * 100_000 + "x", "x\n"),
        ("<table><tr><td>" * 1000 + "x", "x\n"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_broken_html_has_a_text_too(html, expected):
    text = text_of(html)
    assert expected is None or text == expected


MARKUP = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<table>",
        "<tr>",
        "<td rowspan=3>",
        "</table>",
        "<ul>",
        "<ol start=x>",
        "<li>",
        "<a href='https://x/'>",
        "</a>",
        "<pre>",
        "<img alt=x>",
        "<!--",
        "-->",
        "<svg>",
        "<p style='display:none;margin:9em'>",
        "<",
        ">",
        "&",
        "&#x",
        "<div",
        "\x00",
        "�",
        "日本",
        "\n",
        "<body>",
        "</body>",
        "<html>",
        "<frameset>",
        "<select>",
        "<option>",
        "<textarea>",
        "<hr>",
        "<br>",
        "<td align=right valign=top>",
        "x",
    ]
)


@given(st.lists(st.one_of(MARKUP, st.text(max_size=4)), max_size=30).map("".join))
def test_any_html_has_a_text(html):
    text = text_of(html)
    assert "\U0010fffd" not in text
    assert not text or text.endswith("\n")


@given(st.text(alphabet=st.characters(exclude_categories=("C", "Z", "M")), min_size=1))
def test_what_is_written_is_read(text):
    words = text.replace("&", "&amp;").replace("<", "&lt;")
    assert text_of(f"<p>{words}</p>") == f"{text}\n"


@pytest.mark.parametrize(
    "html", ["<td>" * 5000, "<a href=https://x>" * 5000, "日" * 50_000, "<ul>" * 5000, "<!--" * 20_000, "<p " * 20_000]
)
def test_no_html_takes_more_time_than_its_length_deserves(html):
    begun = time.process_time()
    text_of(html)
    assert time.process_time() - begun < 3


def test_without_the_package_it_is_told_which(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "inscriptis.css_profiles", None)
    with pytest.raises(Unsendable, match=r"text from HTML needs the package inscriptis: pip install 'ninsho\[html\]'"):
        text_of("<p>x")
