import re
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ninsho.mail.html.depth import deepest
from ninsho.mail.html.style import css_inlined
from ninsho.mail.unsendable import Unsendable


def test_rules_are_written_into_elements():
    html = "<html><head><style>p { color: red } .b { font-family: 'ＭＳ ゴシック' }</style></head><body><p class=b>日本語①</p></body></html>"
    assert css_inlined(html) == (
        '<html><head></head><body><p class="b" style="color: red;font-family: \'ＭＳ ゴシック\';">日本語①</p></body></html>'
    )


def test_rules_that_no_attribute_can_hold_stay():
    inlined = css_inlined(
        "<style>p{color:red} @media (max-width:600px){p{color:blue}} a:hover{color:green}</style><p>x</p>"
    )
    assert '<p style="color: red;">' in inlined
    assert "@media (max-width:600px){p{color:blue}}" in inlined
    assert "a:hover { color: green; }" in inlined
    assert "p{color:red}" not in inlined


def test_comments_for_outlook_stay():
    comment = "<!--[if mso]><style>p{color:black}</style><table><tr><td><![endif]-->"
    revealed = "<![if !mso]>日本語<![endif]>"
    both = "<!--[if !mso]><!-->x<!--<![endif]-->"
    inlined = css_inlined(f"<style>p{{color:red}}</style><p>{comment}{revealed}{both}</p>")
    assert f'<p style="color: red;">{comment}{revealed}{both}</p>' in inlined
    literal = "<!--[if !mso]-->x<!--[endif]-->"
    assert literal in css_inlined(f"<p>{literal}</p>")


def test_the_doctype_stays():
    doctype = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">'
    assert css_inlined(f"{doctype}<html><body><p>x</p></body></html>").startswith(f"{doctype}<html>")
    assert css_inlined("<p>x</p>").startswith("<html>")


def test_83_nothing_is_loaded(tmp_path, monkeypatch):
    (tmp_path / "style.css").write_text("p { color: red }")
    monkeypatch.chdir(tmp_path)
    for href in ("style.css", f"file://{tmp_path}/style.css", f"{tmp_path}/style.css", "http://127.0.0.1:9/style.css"):
        link = f'<link rel="stylesheet" href="{href}">'
        inlined = css_inlined(f"<head>{link}<style>@import url({href});</style></head><p>x</p>")
        assert link in inlined
        assert "<p>x</p>" in inlined


@pytest.mark.parametrize(
    "html",
    [
        "<style>p{color:red !important}</style><p style='color:blue;x'>x",
        "<style>p{}</style><p>\ud800",
    ],
)
def test_what_cannot_be_read_is_told(html):
    with pytest.raises(Unsendable, match="html: styles cannot be written into elements: "):
        css_inlined(html)


@pytest.mark.parametrize(
    "level", ["<div>", "<b>", "<svg>", "<table><tr><td>", "<div></x>", "<b><div></b>", "<div><table><tr><td></div>"]
)
@pytest.mark.parametrize("times", [2500, 100_000])
def test_html_that_would_end_the_process_is_refused(level, times):
    with pytest.raises(Unsendable, match="html: expected at most 2000 elements within each other, got "):
        css_inlined(level * times)


def test_a_long_letter_is_not_deep():
    row = "<tr><td>日本語<td><p>x<p>y<ul><li>a<li>b</ul><img src=a><br><b>c</b></tr>"
    html = f"<html><body><div><table>{row * 3000}</table></div><p>x{'<p>y' * 3000}</body></html>"
    assert deepest(html) == 9
    assert css_inlined(html)


TAGS = st.sampled_from(
    [
        "<div>",
        "</div>",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<a href=x>",
        "</a>",
        "<p>",
        "</p>",
        "<ul>",
        "<li>",
        "</li>",
        "</ul>",
        "<table>",
        "</table>",
        "<tr>",
        "</tr>",
        "<td>",
        "</td>",
        "<th>",
        "<tbody>",
        "</tbody>",
        "<svg>",
        "</svg>",
        "<g>",
        "</g>",
        "<math>",
        "<template>",
        "</template>",
        "<select>",
        "</select>",
        "<option>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<style>",
        "</style>",
        "<![CDATA[",
        "]]>",
        "<font size=1>",
        "<font size=2>",
        "</font>",
        "<span>",
        "</span>",
        "<br>",
        "<img>",
        "<a b=c='>",
        "<a b='>",
        "'>",
        '">',
        "<noscript>",
        "</noscript>",
        "x",
        "<dl>",
        "<dt>",
        "<dd>",
        "</dl>",
        "<button>",
        "</button>",
        "<form>",
        "</form>",
        "<center>",
        "</center>",
        "<h1>",
        "</h1>",
        "<caption>",
    ]
)


def depth_of(inlined):
    """Measure what css-inline wrote, which closes all it opens."""
    most = depth = 0
    inlined = re.sub(r"<!--.*?-->|<(script|style)>.*?</\1>", "", inlined, flags=re.DOTALL)
    for slash, name in re.findall(r"<(/?)([a-zA-Z][^\s/>]*)(?:\"[^\"]*\"|[^\">])*>", inlined):
        if name not in ("br", "img", "input", "hr", "link", "meta", "col"):
            depth += -1 if slash else 1
            most = max(most, depth)
    return most


@given(st.lists(TAGS, max_size=40).map("".join))
@example("<div><script><!--<script></script></div>--></script>" * 10)
@example("<div><svg><style><g><g><g><g></style>" * 10)
@example("<table><td>" * 20)
def test_no_html_is_deeper_than_it_is_counted(html):
    # html and body stand around it, tbody and tr in between.
    assert depth_of(css_inlined(html)) <= 2 * deepest(html) + 4


def test_without_the_package_it_is_told_which(monkeypatch):
    monkeypatch.setitem(sys.modules, "css_inline", None)
    with pytest.raises(Unsendable, match=r"inline_css needs the package css-inline: pip install 'ninsho\[html\]'"):
        css_inlined("<p>x")
