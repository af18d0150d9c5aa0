import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ProtocolError
from ninsho.wire.dovecot.fields import (
    MalformedBase64,
    decode_base64,
    encode_base64,
    encode_parameters,
    escape,
    number,
    parameters,
    split,
    unescape,
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_escaped_can_be_unescaped_and_stays_on_its_line(field):
    escaped = escape(field)
    assert unescape(escaped) == field
    assert not set(escaped) & set("\0\t\r\n")


@pytest.mark.parametrize(
    ("wire", "raw"),
    [("a\x010", "a\0"), ("\x011", "\x01"), ("\x01t\x01r\x01n", "\t\r\n"), ("\x01x", "x"), ("a\x01", "a")],
)
def test_escapes_are_dovecots(wire, raw):
    assert unescape(wire) == raw


@given(st.binary())
def test_base64_that_is_written_is_read(data):
    assert decode_base64(encode_base64(data).decode()) == data


@given(st.text(max_size=12))
def test_base64_that_is_read_is_the_one_form_of_its_octets(text):
    try:
        data = decode_base64(text)
    except MalformedBase64:
        return
    assert encode_base64(data).decode() == text


# Each has been taken by some library, or has ended a connection with everybody else's logins (CVE-2025-59028).
FRAMING = ["A", "AA", "AAA", "AA=A", "AAAA====", "AA AA", "AAAA\n", "-_==", "=="]


@pytest.mark.parametrize("text", ["aGVsb", "AAAA=", "AB==", "=", "====", "a b=", "a-_=", "YQ==\n", "é", *FRAMING])
def test_base64_of_another_form_is_refused(text):
    with pytest.raises(MalformedBase64):
        decode_base64(text)


@pytest.mark.parametrize("digits", ["", "0", "-1", "+1", " 1", "1 ", "1_0", "4294967296", "0x1", "\u0661", "\u00b2"])
def test_a_number_is_of_32_bits_and_of_digits_alone(digits):
    with pytest.raises(ProtocolError, match="expected a request id from 1 to 4294967295"):
        number(digits, "a request id")


names = st.text(st.characters(exclude_characters="=", exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"]))))
def test_parameters_that_are_written_are_read(items):
    assert parameters(split(encode_parameters(items))[1:]) == items


def test_a_value_is_everything_behind_the_first_equals_sign():
    assert parameters(["a=b=c", "secured"]) == {"a": "b=c", "secured": ""}


def test_octets_that_are_not_utf8_do_no_harm():
    assert split(b"rip=\xff\tx") == ["rip=\\xff", "x"]
