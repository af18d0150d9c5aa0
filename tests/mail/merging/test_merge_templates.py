import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.merging.jinja import JinjaText, jinja
from ninsho.mail.merging.templates import braces, percents
from ninsho.mail.merging.values import Field, Gaps, Raw, one_line
from ninsho.mail.unsendable import Unsendable


def filled(template, row, **gaps):
    return template.filled(lambda expression: expression.value(row, Gaps(**gaps)))


def in_braces(text, row, **gaps):
    return filled(braces(text, "text"), row, **gaps)


def in_percents(text, row, **gaps):
    return filled(percents(text, "text"), row, missing="keep", **gaps)


def test_a_field_in_braces_is_the_column_of_that_name():
    assert in_braces("{name}様、{points} 点", {"name": "山田", "points": 7}) == "山田様、7 点"
    assert in_braces("{氏名}様 {First name}", {"氏名": "山田", "First name": "Taro"}) == "山田様 Taro"


def test_doubled_braces_are_braces():
    assert in_braces("p {{ color: {color} }} {{name}}", {"color": "red"}) == "p { color: red } {name}"


@given(st.text())
def test_text_without_fields_comes_back(text):
    assert in_braces(text.replace("{", "{{").replace("}", "}}"), {}) == text
    assert in_percents(text.replace("%", "%%"), {}) == text


def test_numbers_and_days_are_written_as_asked_also_those_that_a_file_has_as_text():
    from datetime import date  # noqa: PLC0415

    assert in_braces("{price:,} {day:%m月%d日}", {"price": 12000, "day": date(2026, 11, 2)}) == "12,000 11月02日"
    assert in_braces("{price:,} {day:%m月%d日}", {"price": "12000", "day": "2026-11-02"}) == "12,000 11月02日"
    with pytest.raises(Unsendable, match=r"\{price:,\}: expected a value that can be written so, got 'dear'"):
        in_braces("{price:,}", {"price": "dear"})


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2026-12-24", "12月24日 00:00"),
        ("2026/12/24", "12月24日 00:00"),
        ("2026/1/5", "01月05日 00:00"),
        (" 2026/1/5 9:30 ", "01月05日 09:30"),
        ("2026/01/05 09:30:15", "01月05日 09:30"),
        ("2026-01-05 09:30", "01月05日 09:30"),
    ],
)
def test_days_are_read_as_spreadsheets_write_them(told, expected):
    assert in_braces("{day:%m月%d日 %H:%M}", {"day": told}) == expected


@pytest.mark.parametrize("told", ["12月24日", "2026/13/1", "24/12/2026", "2026/1-5", ""])
def test_what_is_no_day_says_which_are_read(told):
    with pytest.raises(Unsendable, match=r"^\{day:%m月\}: expected a value .*: .* days as 2026-12-24 or 2026/12/24, "):
        in_braces("{day:%m月}", {"day": told})


def test_a_day_is_no_number():
    with pytest.raises(Unsendable, match=r"^\{price:,\}: expected a value that can be written so, got '2026-12-24'"):
        in_braces("{price:,}", {"price": "2026-12-24"})


def test_a_value_in_a_url_is_percent_encoded_where_that_is_asked_for():
    assert in_braces("https://example.jp/?u={mail!u}", {"mail": "a+b@x"}) == "https://example.jp/?u=a%2Bb%40x"


@pytest.mark.parametrize(
    "text", ["{name.__class__}", "{rows[0]}", "{}", "{0!r}", "{a{b}}", "{", "x}", "{ name }", "p { color: red }"]
)
def test_a_template_is_no_code_and_says_where_it_is_wrong(text):
    with pytest.raises(Unsendable, match=r"^text: line 2: expected a field such as \{name\}, got "):
        braces("\n" + text, "text")


def test_a_file_is_no_text():
    with pytest.raises(Unsendable, match=r"\{name\}: expected text, got bytes"):
        in_braces("{name}", {"name": b"x"})


def test_percents_are_read_as_qdmail_reads_them():
    row = {"name": "山田", "氏名": "太郎"}
    assert (
        in_percents("%name% %氏名% 100%% 50% off, 20% more %unknown%", row)
        == "山田 太郎 100% 50% off, 20% more %unknown%"
    )


@pytest.mark.parametrize(
    ("row", "gaps", "expected"),
    [
        ({"name": None}, {"defaults": {"name": "お客"}}, "お客様"),
        ({"name": ""}, {"defaults": {"name": "お客"}}, "お客様"),
        ({}, {"defaults": {"name": "お客"}}, "お客様"),
        ({"name": ""}, {}, "様"),
        ({"name": None}, {"missing": "empty"}, "様"),
        ({}, {"missing": "keep"}, "{name}様"),
        ({"name": 0}, {"defaults": {"name": "お客"}}, "0様"),
    ],
)
def test_what_stands_for_a_value_that_is_missing(row, gaps, expected):
    assert in_braces("{name}様", row, **gaps) == expected


def test_a_missing_value_is_refused_unless_told():
    with pytest.raises(Unsendable, match=r"expected a value for \{name\}, got none"):
        in_braces("{name}様", {"name": None})


# Jinja2.


def in_jinja(text, row, *, missing="error", html=False, **gaps):
    return filled(jinja(text, "text", missing=missing, html=html), row, missing=missing, **gaps)


def test_jinja_has_conditions_and_loops_and_keeps_the_last_line_end():
    text = "{% if points > 5 %}金{% else %}銀{% endif %}会員 {{ name|upper }}\n"
    assert in_jinja(text, {"points": 7, "name": "taro"}) == "金会員 TARO\n"


def test_names_alone_need_no_jinja():
    template = jinja("{{ name }}様 {{id}}", "text", missing="error", html=False)
    assert [type(piece) for piece in template.pieces] == [Field, str, Field]
    assert isinstance(jinja("{{ true }}", "text", missing="error", html=False).pieces[0], JinjaText)


def test_jinja_escapes_in_html_and_says_that_it_did():
    found = in_jinja("<b>{{ name|upper }}</b>", {"name": "<i>"}, html=True)
    assert found == "<b>&lt;I&gt;</b>"
    assert isinstance(
        jinja("{{ a|upper }}", "html", missing="error", html=True).pieces[0].value({"a": "x"}, Gaps()), Raw
    )


def test_what_jinja_lacks_is_an_error_empty_or_kept():
    assert in_jinja("{{ x|default('y') }}", {}) == "y"
    assert in_jinja("[{{ x }}]{% if 1 %}{% endif %}", {}, missing="empty") == "[]"
    assert in_jinja("[{{ x }}]{% if 1 %}{% endif %}", {}, missing="keep") == "[{{ x }}]"
    with pytest.raises(Unsendable, match="UndefinedError: 'x' is undefined"):
        in_jinja("{{ x|upper }}", {"x": None})
    assert in_jinja("{{ x|upper }}", {"x": None}, defaults={"x": "a"}) == "A"


def test_jinja_stays_in_its_sandbox():
    with pytest.raises(Unsendable, match="SecurityError"):
        in_jinja("{{ x.__class__.__mro__ }}", {"x": 1})
    with pytest.raises(Unsendable, match="text: expected a template of Jinja2, got TemplateSyntaxError"):
        jinja("{% if %}", "text", missing="error", html=False)


# Values in header fields.


def test_82_a_value_in_a_header_field_loses_the_line_end_that_files_leave_behind_it():
    assert one_line("山田 \r\n", "subject: {name}") == "山田"
    assert one_line("a\tb\u3000c", "subject") == "a b\u3000c"


@pytest.mark.parametrize("end", ["\n", "\r", "\0", "\x7f", "\u2028", "\x85"])
def test_82_lines_within_a_value_are_refused_in_a_header_field(end):
    with pytest.raises(Unsendable, match=r"subject: \{name\}: expected one line, got "):
        one_line(f"a{end}Bcc: x@example.org", "subject: {name}")
