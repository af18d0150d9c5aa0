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
    unescape,
)


@given(st.binary())
def test_what_is_escaped_can_be_unescaped_and_stays_on_its_line(field):
    escaped = escape(field)
    assert unescape(escaped) == field
    assert not set(escaped) & set(b"\0\t\r\n")


@pytest.mark.parametrize(
    ("wire", "raw"),
    [(b"a\x010b", b"a\0b"), (b"\x011", b"\x01"), (b"\x01t\x01r\x01n", b"\t\r\n"), (b"\x01x", b"x"), (b"a\x01", b"a")],
)
def test_escapes_are_dovecots(wire, raw):
    assert unescape(wire) == raw


@given(st.binary())
def test_base64_that_is_written_is_read(data):
    assert decode_base64(encode_base64(data)) == data


@given(st.binary(max_size=12))
def test_base64_that_is_read_is_the_one_form_of_its_octets(text):
    try:
        data = decode_base64(text)
    except MalformedBase64:
        return
    assert encode_base64(data) == text


@pytest.mark.parametrize("text", [b"aGVsb", b"AAAA=", b"AB==", b"=", b"====", b"a b=", b"a-_=", b"YQ==\n", b"\xff"])
def test_base64_of_another_form_is_refused(text):
    with pytest.raises(MalformedBase64):
        decode_base64(text)


@pytest.mark.parametrize("digits", [b"", b"0", b"-1", b"+1", b" 1", b"1 ", b"1_0", b"4294967296", b"0x1", "١".encode()])
def test_a_number_is_of_32_bits_and_of_digits_alone(digits):
    with pytest.raises(ProtocolError, match="expected a request id from 1 to 4294967295"):
        number(digits, "a request id")


names = st.text(st.characters(exclude_characters="=", exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"]))))
def test_parameters_that_are_written_are_read(items):
    fields = encode_parameters(items).split(b"\t")[1:]
    assert parameters(fields) == items


def test_a_value_is_everything_behind_the_first_equals_sign():
    assert parameters([b"a=b=c", b"secured"]) == {"a": "b=c", "secured": ""}


def test_octets_that_are_not_utf8_do_no_harm():
    assert parameters([b"rip=\xff"]) == {"rip": "\\xff"}
