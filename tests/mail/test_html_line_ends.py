"""HTML in one line: which line ends are spaces, and which nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.html.line_ends import without_line_ends


@pytest.mark.parametrize(
    ("html", "line"),
    [
        ("<html>\r\n  <body>\r\n    晴れ\r\n  です\r\n</body>\n</html>\n", "<html><body>晴れです</body></html>"),
        ("two\nwords", "two words"),
        ("two\r\n\r\n\t words", "two words"),
        ("<p>a\rb</p>", "<p>a b</p>"),
        ("日本\nJapan\n日本", "日本 Japan 日本"),
        ("café\nété", "café été"),
        ("привет\nмир", "привет мир"),
        ("안녕\n하세요", "안녕 하세요"),
        ("<b>one</b>\ntwo", "<b>one</b> two"),
        ("<b>Hello</b>\n<i>World</i>", "<b>Hello</b> <i>World</i>"),
        ("<b>日本</b>\n<i>の春</i>", "<b>日本</b><i>の春</i>"),
        ("日<b>\n本</b>\n<!-- 注 -->\n語", "日<b>本</b><!-- 注 -->語"),
        ("a<b>\nb</b>\n<br>\nc\n<hr>d", "a<b> b</b><br>c<hr>d"),
        ("<img src=a>\n<img src=b>", "<img src=a> <img src=b>"),
        ("<td>\n<img src=a>\n</td>", "<td><img src=a></td>"),
        ('<img\n src="a"\r\n alt="b">', '<img src="a" alt="b">'),
        ("<!--\n注\n-->x", "<!-- 注 -->x"),
        ("<style>\np {\n}\n</style>\nx", "<style> p { } </style>x"),
        ("<p>x</p>\n<pre>a\n  b</pre>\n<p>y</p>", "<p>x</p><pre>a\n  b</pre><p>y</p>"),
        ("<p>x\n<textarea>a\n</pre>\nb</textarea>\ny", "<p>x <textarea>a\n</pre>\nb</textarea> y"),
        ("<pre>a\n<b>b\n</b>\n</pre>\nc", "<pre>a\n<b>b\n</b>\n</pre>c"),
        ("</pre>a\nb", "</pre>a b"),
        ("a < b\n> c", "a < b > c"),
        ("\n", ""),
        ("", ""),
    ],
)
def test_html_is_in_one_line(html, line):
    assert without_line_ends(html) == line


@given(st.text(st.sampled_from("a日<>/ \t\r\n=\"'b!-"), max_size=30))
def test_nothing_but_space_is_lost(html):
    line = without_line_ends(html)
    assert "\r" not in line
    assert "\n" not in line
    assert "".join(line.split()) == "".join(html.split())


@pytest.mark.parametrize(
    "html",
    ["<pre></pre ", "<pre>", "<pre", " ", "<", "<b>", "a\n", "<b>\n", "日\n", "<!--", "<textarea>", " \n<"],
    ids=ascii,
)
@pytest.mark.parametrize("end", ["", "x", "\nx"], ids=ascii)
def test_no_html_takes_more_time_than_its_length_deserves(html, end):
    begun = time.process_time()
    without_line_ends(html * 40_000 + end)
    without_line_ends("\t" * 40_000 + end)
    assert time.process_time() - begun < 2
