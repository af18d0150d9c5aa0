import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.html.text import text_of


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
    assert text_of("<p>안녕\n하세요</p>") == "안녕 하세요\n"
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
    "html",
    [
        "<td>" * 5000,
        "<a href=https://x>" * 80_000,
        "<a href=https://x><b>" * 40_000,
        "<td>" + "<b>wordword</b> " * 80_000,
        "<a href=https://x>" * 800 + "<b>x</b>" * 20_000,
        "<pre>" * 800 + "<b>x</b>" * 20_000,
        "日" * 50_000,
        "<ul>" * 5000,
        "<ul>" * 400 + "<li>x" * 20_000,
        f"<ol start={'9' * 4000}>" + "<li>x" * 10_000,
        "<!--" * 20_000,
        "<p " * 20_000,
        "&zwnj;" * 40_000 + "x",
        # What is padded to the width of its column and the height of its row.
        f"<table><tr><td>{'x' * 40_000}</td></tr>{'<tr><td>a</td></tr>' * 4000}</table>",
        f"<table><tr><td>{'a<br>' * 4000}</td>{'<td>b</td>' * 4000}</tr></table>",
        f"<table><tr>{'<td>b' * 4000}</tr>{'<tr><td>a' * 4000}</table>",
        f"<table><tr><td><pre>{'x' * 4000}{chr(10) * 4000}</pre></table>",
        f"<table><tr><td>{'<table><tr><td>' * 100}{'x' * 4000}{'<p>x' * 400}",
    ],
    ids=lambda html: html[:20],
)
def test_no_html_takes_more_time_than_its_length_deserves(html):
    begun = time.process_time()
    text_of(html)
    assert time.process_time() - begun < 3


def test_without_the_package_it_is_a_plain_one(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "inscriptis.css_profiles", None)
    html = """<head><title>t</title><style>p {}</style></head><h1>新製品</h1>
        <p>日本
        語の&nbsp;文 &amp; more<br>two</p><ul><li>one</li><li>two</ul>
        <table><tr><td>a</td><td>b</table><a href="https://example.jp/?a=1&amp;b=2">こちら</a> <a href="#x">here</a>"""
    assert text_of(html) == (
        "新製品\n\n日本語の 文 & more\ntwo\n\n* one\n* two\n\na b\n\nこちら <https://example.jp/?a=1&b=2> here\n"
    )


def test_a_table_too_large_for_columns_has_a_text_and_the_others_theirs():
    small = "<table><tr><td>A</td><td>1</td></tr><tr><td>BB</td><td>2</td></tr></table>"
    long = "x" * 40_000
    large = f"<table><tr><td>{small}</td><td>{long}</td></tr>{'<tr><td>a</td><td>b</td></tr>' * 2000}</table>"
    assert text_of(f"{large}<p>end") == f"A   1\nBB  2\n\n{long}\n" + "a\nb\n" * 2000 + "\nend\n"


def test_the_layout_of_a_letter_stays_a_table():
    row = f"<tr><td>{'word ' * 400}<p>{'word ' * 20}</p></td><td><ul><li>one<li>two</ul></td></tr>"
    letter = f"<table><tr><td><table>{row * 50}</table></td></tr></table>"
    assert text_of(letter).count("  * one") == 50
    assert {line.find("* one") for line in text_of(letter).splitlines()} == {-1, 2003}


@pytest.mark.parametrize(
    "html",
    [
        "<p>本文<br>-- <br>山田",
        "<div>本文</div><div><span>-- </span><br>山田</div>",
        "<pre>本文\n-- \n山田</pre>",
        "本文<div>\n-- \n</div>山田",
    ],
)
def test_the_line_above_a_signature_keeps_its_space(html):
    assert text_of(html) == "本文\n-- \n山田\n"


def test_dashes_alone_begin_no_signature():
    assert text_of("<p>a<br>--<br>b -- <b>c</b></p>") == "a\n--\nb -- c\n"


def test_links_within_each_other_are_all_told():
    html = '<a href="https://x.example/1">one <b><a href="https://x.example/2">two</a></b>'
    assert text_of(html) == "one two <https://x.example/2> <https://x.example/1>\n"
