import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ProtocolError
from ninsho.wire.lines import Lines


def read(chunks, limit=16):
    """The lines of a stream, and whether it ended in an error."""
    lines, found = Lines(limit), []
    try:
        for chunk in chunks:
            for line in lines.feed(chunk):
                found.append(line)  # noqa: PERF402 - what came before an error counts
    except ProtocolError:
        return found, True
    return found, False


@given(st.lists(st.binary(max_size=20)))
def test_any_split_of_the_octets_gives_the_same_lines_and_the_same_error(chunks):
    whole = b"".join(chunks)
    octets = [whole[index : index + 1] for index in range(len(whole))]
    assert read(chunks) == read([whole]) == read(octets)


@given(st.lists(st.binary(max_size=14).filter(lambda line: b"\n" not in line)))
def test_lines_that_are_written_are_read(lines):
    assert read([b"".join(line + b"\n" for line in lines)]) == (lines, False)


def test_a_line_may_be_as_long_as_the_limit_with_its_line_feed():
    assert read([b"x" * 15 + b"\n"]) == ([b"x" * 15], False)
    assert read([b"x" * 16 + b"\n"]) == ([], True)
    assert read([b"x" * 16]) == ([], True)


def test_an_error_names_the_limit():
    with pytest.raises(ProtocolError, match="at most 16 octets, got one of 40 or more"):
        list(Lines(16).feed(b"x" * 40))
