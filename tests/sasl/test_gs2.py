"""The GS2 header and the names behind it, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import MalformedMessage
from ninsho.sasl.gs2 import decode_name, encode_name, header, parse_header, parse_name
from scram_talk import VECTORS


@pytest.mark.parametrize("row", VECTORS["gs2_header"]["valid"], ids=lambda row: row["in"])
def test_a_gs2_header_is_read(row):
    message = row["in"].encode()
    if row["nonstd"]:
        # RFC 5801 §4: a prefix for GSS-API mechanisms that SCRAM and OAUTHBEARER are not.
        with pytest.raises(MalformedMessage):
            parse_header(message)
        return
    found = parse_header(message)
    assert found.flag == row["flag"]
    assert found.binding == (row["cb_type"] or "")
    assert found.authzid == (row["authzid"] or "").encode()
    assert found.raw == message[: row["header_length"]]


@pytest.mark.parametrize("row", VECTORS["gs2_header"]["invalid"], ids=repr)
def test_a_broken_gs2_header_is_refused(row):
    with pytest.raises(MalformedMessage):
        parse_header(row["in"].encode())


@given(st.sampled_from(["n", "y", "p=tls-exporter"]), st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_a_gs2_header_is_written_as_it_is_read(flag, authzid):
    found = parse_header(header(flag, authzid) + b"n=x,r=y")
    assert found.raw == header(flag, authzid)
    assert found.authzid == authzid.encode()


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1) | st.text("=,23CD", min_size=1))
def test_a_name_is_written_as_it_is_read(name):
    assert parse_name(encode_name(name).encode()) == decode_name(encode_name(name).encode()) == name.encode()
