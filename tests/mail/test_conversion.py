from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.encoded_fields import encoded_fields
from ninsho.mail.message import Submission, Unsendable, prepare
from ninsho.wire.ehlo import Capabilities

ENVELOPE = b"From: alice@example.com\r\nTo: bob@example.org\r\n"
OLD = ()
EIGHT = ("8BITMIME",)
UTF8 = ("8BITMIME", "SMTPUTF8")
BINARY = ("8BITMIME", "CHUNKING", "BINARYMIME")


def prepared(message, offered):
    capabilities = Capabilities(extensions=dict.fromkeys(offered, ()))
    return prepare(Submission(message), capabilities, chunking="CHUNKING" in offered)


def sent(message, offered=OLD):
    return b"".join(prepared(message, offered).content.plain())


def parsed(octets):
    return message_from_bytes(octets, policy=policy.default)


def mail(*fields, body=b"", encoding="8bit", kind="text/plain; charset=utf-8"):
    mime = f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n"
    return ENVELOPE + "".join(f"{field}\r\n" for field in fields).encode() + mime.encode() + b"\r\n" + body


TEXT = mail(body="Schöne Grüße, und alles Gute\r\n.Punkt\r\n".encode())


def test_eight_bit_text_travels_as_it_is_where_it_may():  # pitfall 7
    found = prepared(TEXT, EIGHT)
    assert b"".join(found.content.plain()) == TEXT
    assert found.mail == b"MAIL FROM:<alice@example.com> BODY=8BITMIME\r\n"


def test_eight_bit_text_is_made_readable_text_of_seven_bits_elsewhere():
    found = prepared(TEXT, OLD)
    octets = b"".join(found.content.plain())
    assert found.mail == b"MAIL FROM:<alice@example.com>\r\n"
    assert (
        octets
        == TEXT.split(b"\r\n\r\n")[0].replace(b"8bit", b"quoted-printable")
        + b"\r\n\r\nSch=C3=B6ne Gr=C3=BC=C3=9Fe, und alles Gute\r\n.Punkt\r\n"
    )


def test_text_that_is_hardly_ascii_becomes_base64():
    octets = sent(mail(body="こんにちは\r\n".encode()))
    assert b"Content-Transfer-Encoding: base64" in octets
    assert parsed(octets).get_content() == "こんにちは\r\n"


def test_a_message_without_mime_gets_what_mime_wants():
    octets = sent(ENVELOPE + "\r\nGrüße\r\n".encode())
    assert b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" in octets
    assert parsed(octets).get_content() == "Grüße\r\n"
    assert b"charset=unknown-8bit" in sent(ENVELOPE + b"\r\nGr\xfc\xdfe\r\n")


def test_a_long_line_is_encoded_and_never_cut():  # pitfall 6
    text = ("日本語の長い行" * 200).encode("iso-2022-jp")
    octets = sent(mail(body=text + b"\r\n", encoding="7bit", kind="text/plain; charset=iso-2022-jp"), UTF8)
    assert max(map(len, octets.split(b"\r\n"))) <= 76
    assert parsed(octets).get_content() == "日本語の長い行" * 200 + "\r\n"
    fitting = ENVELOPE + b"\r\n" + b"x" * 998 + b"\r\n" + b"y" * 998 + b"\r\n"
    assert sent(fitting) == fitting
    assert b"quoted-printable" in sent(ENVELOPE + b"\r\n" + b"x" * 999 + b"\r\n")


@pytest.mark.parametrize("ending", [b"", b"\r\n"])
def test_the_last_line_of_a_part_may_be_too_long_as_any_other(ending):
    for octets in (
        sent(multipart(b"\r\n" + b"x" * 999 + ending)),
        sent(multipart(ASCII_PART).replace(b"Preamble", b"x" * 999)),
    ):
        assert max(map(len, octets.split(b"\r\n"))) < 80
    fitting = multipart(b"\r\n" + b"x" * 998 + ending)
    assert fitting.partition(b"\r\n\r\n")[2] in sent(fitting)


def multipart(*parts, kind="mixed", fields=()):
    body = b"".join(b"--=b\r\n" + part + b"\r\n" for part in parts)
    return mail(
        *fields, kind=f'multipart/{kind}; boundary="=b"', body=b"Preamble\r\n" + body + b"--=b--\r\nEpilogue\r\n"
    )


ASCII_PART = b"Content-Type: text/plain\r\nX-Odd:   spaced  \r\n\r\nplain  \r\n"
EIGHT_PART = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSchöne Grüße, und alles Gute\r\n".encode()
NUL_PART = b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\x89\0\r\n\n\r.\n\xff" + b"x" * 1200


def test_only_the_part_that_needs_it_is_encoded():
    octets = sent(multipart(ASCII_PART, EIGHT_PART))
    assert octets.isascii()
    assert b"Preamble\r\n--=b\r\n" + ASCII_PART + b"\r\n--=b\r\n" in octets
    assert octets.endswith(b"Sch=C3=B6ne Gr=C3=BC=C3=9Fe, und alles Gute\r\n\r\n--=b--\r\nEpilogue\r\n")
    # The promise of the whole goes with that of the part.
    assert b"8bit" not in octets
    assert [part.get_content() for part in parsed(octets).iter_parts()] == [
        "plain  \r\n",
        "Schöne Grüße, und alles Gute\r\n",
    ]


def test_a_message_within_a_message_is_converted_within():
    octets = sent(multipart(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + TEXT))
    assert b"message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nFrom:" in octets
    (part,) = parsed(octets).iter_parts()
    assert part.get_content().get_content() == "Schöne Grüße, und alles Gute\r\n.Punkt\r\n"


def test_binary_parts_go_as_they_are_by_bdat_and_as_base64_elsewhere():  # pitfall 8
    message = multipart(ASCII_PART, NUL_PART)
    found = prepared(message, BINARY)
    assert found.mail.endswith(b" BODY=BINARYMIME\r\n")
    assert b"".join(found.content.plain()) == message
    assert found.content.size == len(message)
    with pytest.raises(Unsendable, match="expected BDAT"):
        found.content.stuffed()
    for offered in (OLD, EIGHT, ("BINARYMIME", "8BITMIME")):
        _, image = parsed(sent(message, offered)).iter_parts()
        assert image["content-transfer-encoding"] == "base64"
        assert image.get_content() == NUL_PART.partition(b"\r\n\r\n")[2]


def test_line_feeds_alone_are_line_ends_everywhere_but_in_binary_parts():
    octets = sent(multipart(ASCII_PART.replace(b"\r\n", b"\n"), NUL_PART), BINARY)
    assert octets == multipart(ASCII_PART, NUL_PART)
    text = mail(body=b"a\nb\rc\r\n", encoding="binary")
    assert sent(text, BINARY) == text.replace(b"a\nb\rc", b"a\r\nb\r\nc")


def test_text_of_two_octets_a_character_is_not_taken_for_lines():
    text = "日本\n語".encode("utf-16")
    message = mail(kind="text/plain; charset=utf-16", encoding="binary", body=text)
    assert parsed(sent(message)).get_payload(decode=True) == text
    assert b"".join(prepared(message, BINARY).content.plain()) == message


@pytest.mark.parametrize("field", ["DKIM-Signature: v=1", "dkim-signature : v=1", "ARC-Message-Signature: i=1"])
def test_what_is_signed_is_not_touched(field):  # pitfall 8
    signed = mail(field, body="Grüße\r\n".encode())
    assert sent(signed, EIGHT) == signed
    with pytest.raises(Unsendable, match=r"(?i)a part cannot travel .*-signature forbids"):
        sent(signed)


def test_what_multipart_signed_holds_is_not_touched():
    message = multipart(EIGHT_PART, ASCII_PART, kind="signed")
    assert sent(message, EIGHT) == message
    with pytest.raises(Unsendable, match="multipart/signed forbids"):
        sent(message)
    # Beside it there is no signature.
    beside = multipart(EIGHT_PART, message.partition(b"MIME-Version: 1.0\r\n")[2].replace(b"=b", b"=i"))
    with pytest.raises(Unsendable, match="multipart/signed forbids"):
        sent(beside)
    seven = (
        multipart(ASCII_PART, ASCII_PART, kind="signed").partition(b"MIME-Version: 1.0\r\n")[2].replace(b"=b", b"=i")
    )
    assert seven.partition(b"\r\n\r\n")[2].rstrip(b"\r\n") in sent(multipart(EIGHT_PART, seven))


def test_a_header_that_is_not_ascii_goes_by_smtputf8_or_encoded():
    message = (
        ENVELOPE + "Cc: Jörg <j@bücher.example>\r\nSubject:  Grüße\r\nX-Raw: ".encode() + b"kept  \r\n\r\nHello\r\n"
    )
    assert sent(message, UTF8) == message
    assert prepared(message, UTF8).mail.endswith(b" BODY=8BITMIME SMTPUTF8\r\n")
    for offered in (OLD, EIGHT):
        octets = sent(message, offered)
        assert octets.isascii()
        assert b"\r\nX-Raw: kept  \r\n" in octets
        assert b"<j@xn--bcher-kva.example>" in octets
        assert parsed(octets)["subject"] == "Grüße"
        assert parsed(octets)["cc"].addresses[0].display_name == "Jörg"
    with pytest.raises(Unsendable, match="SMTPUTF8"):
        sent(message.replace(b"j@b", "jö@b".encode()), EIGHT)


def test_a_header_in_an_unknown_charset_loses_nothing():
    octets = sent(ENVELOPE + b"Subject: Gr\xfc\xdfe\r\n\r\nHello\r\n", UTF8)
    assert b"Subject: =?unknown-8bit?" in octets


@pytest.mark.parametrize(
    "field", [b"To: J\xf6rg <j@example.com>", b'Content-Type: text/plain; name="\xf6"', "References: <ö@x>".encode()]
)
def test_a_field_that_would_lose_its_meaning_is_refused(field):
    with pytest.raises(Unsendable, match=field.split(b":")[0].decode()):
        sent(ENVELOPE.replace(b"To:", b"Cc:") + field + b"\r\n\r\nHello\r\n", EIGHT)


def test_a_file_name_in_a_header_stays_one():
    octets = sent(ENVELOPE + 'Content-Disposition: attachment; filename="Grüße.txt"\r\n\r\nHello\r\n'.encode())
    assert octets.isascii()
    assert parsed(octets).get_filename() == "Grüße.txt"


@given(
    st.sampled_from(["To", "Subject", "X-Y", "Content-Type", "Content-Disposition", "Resent-From"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=200),
)
def test_no_field_becomes_two(name, value):
    try:
        header = encoded_fields(f"{name}: {value}é\r\n".encode())
    except Unsendable:
        return
    first, *rest = header.removesuffix(b"\r\n").split(b"\r\n")
    assert first.startswith(name.encode() + b":")
    assert all(line[:1] in b" \t" and line.strip() for line in rest)
    assert b"\r" not in header.replace(b"\r\n", b"")
    assert b"\n" not in header.replace(b"\r\n", b"")


def test_a_header_line_that_is_too_long_is_folded():
    ids = " ".join(f"<{number}@example.com>" for number in range(100))
    octets = sent(ENVELOPE + f"References: {ids}\r\n\r\nHello\r\n".encode())
    assert max(map(len, octets.split(b"\r\n"))) < 80
    assert parsed(octets)["references"].split() == ids.split()
    with pytest.raises(Unsendable, match="X: expected words of at most 998 octets"):
        sent(ENVELOPE + b"X: " + b"x" * 1000 + b"\r\n\r\nHello\r\n")


@pytest.mark.parametrize("field", [b"X: a\0b", b"X\0: a"])
def test_nul_in_a_header_is_refused(field):
    with pytest.raises(Unsendable, match="header"):
        sent(ENVELOPE + field + b"\r\n\r\nHello\r\n", BINARY)


def test_nul_in_text_is_encoded():
    assert sent(ENVELOPE + b"\r\na\0b\r\n").endswith(b"\r\n\r\na=00b\r\n")


def test_what_cannot_be_encoded_says_why():
    with pytest.raises(Unsendable, match="without its boundary"):
        sent(mail(kind="multipart/mixed; boundary=none", body=b"\xff\r\n"))
    with pytest.raises(Unsendable, match="as its header says"):
        sent(mail(encoding="base64", body=b"Q\xff\r\n"))
    deep = b"\xff\r\n"
    for _ in range(60):
        deep = b"Content-Type: message/rfc822\r\n\r\n" + deep
    with pytest.raises(Unsendable, match="within each other"):
        sent(ENVELOPE + deep)


def test_what_a_digest_holds_is_a_message():  # RFC 2046 §5.1.5
    octets = sent(multipart(b"\r\n" + TEXT, EIGHT_PART, kind="digest"))
    carried, text = parsed(octets).iter_parts()
    assert b"--=b\r\n\r\nFrom: alice@example.com\r\n" in octets
    assert carried.get_content().get_content() == "Schöne Grüße, und alles Gute\r\n.Punkt\r\n"
    assert text.get_content() == "Schöne Grüße, und alles Gute\r\n"


@pytest.mark.parametrize("kind", ["message/delivery-status", "message/disposition-notification", "message/partial"])
def test_what_must_not_be_encoded_is_refused(kind):  # RFC 2045 §6.4
    part = f"Content-Type: {kind}\r\n\r\n".encode() + b"Reporting-MTA: dns; x\r\n\r\n"
    assert part in sent(multipart(EIGHT_PART, part))
    for body in ("Grüße".encode(), b"x" * 999):
        with pytest.raises(Unsendable, match=f"expected ASCII .* in a part of type '{kind}', which must not be enc"):
            sent(multipart(part + body))


def test_reports_in_utf8_may_be_encoded():  # RFC 6532 §3.5
    head = b"Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    (part,) = parsed(sent(multipart(head + "Grüße\r\n".encode()))).iter_parts()
    assert part["content-transfer-encoding"] == "base64"


@pytest.mark.parametrize("kind", ["text/plain", "application/x", "message/rfc822"])
def test_an_unknown_encoding_is_refused_where_another_is_needed(kind):
    part = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n".encode()
    assert part in sent(multipart(EIGHT_PART, part))
    for body in (b"\xff", b"x" * 999, b"\0"):
        with pytest.raises(Unsendable, match=r"Content-Transfer-Encoding: expected a known one .* got 'x-uuencode'"):
            sent(multipart(part + body))


@pytest.mark.parametrize("encoding", ["8bit (as ever)", "(as ever) 8Bit", "8bit;"])
def test_an_encoding_is_read_without_its_comments(encoding):  # RFC 2045 §6.1
    assert parsed(sent(mail(body="Grüße\r\n".encode(), encoding=encoding))).get_content() == "Grüße\r\n"


def test_one_long_line_of_base64_becomes_lines():
    octets = sent(mail(kind="application/pdf", encoding="base64", body=b"QUJD" * 400 + b"\r\n"))
    assert max(map(len, octets.split(b"\r\n"))) <= 76
    assert parsed(octets).get_content() == b"ABC" * 400


@given(
    st.binary(max_size=300),
    st.sampled_from([OLD, EIGHT, UTF8]),
    st.sampled_from(["image/png", "application/x", "audio/ogg"]),
)
def test_whatever_a_binary_part_holds_arrives(data, offered, kind):
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n\r\n".encode()
    message = multipart(ASCII_PART, head + data + b"\0")
    _, part = parsed(sent(message, offered)).iter_parts()
    assert part.get_content() == data + b"\0"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.sampled_from([OLD, EIGHT]))
def test_whatever_a_text_holds_arrives(text, offered):
    octets = sent(mail(body=text.encode()), offered)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    decoded = parsed(octets).get_payload(decode=True).decode().replace("\r\n", "\n")
    assert decoded.rstrip("\n") == lines.rstrip("\n")


pieces = [
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b'Content-Type: multipart/signed; boundary="c"\r\n',
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: text/html; charset=\xff\r\n",
    b"Content-Type: \r\n",
    b"Content-Transfer-Encoding: binary\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\n",
    b'Content-Disposition: attachment; filename="\xc3\xa9"\r\n',
    b"Subject: \xe9\r\n",
    b"Bcc: z\r\n",
    b"--b\r\n",
    b"--b--\r\n",
    b"--c\n",
    b"x" * 1001,
    *(b"\r\n", b"\n", b"\r", b".\r\n", b"\xff", b"\0", b"QUJD", b"=C3=", b" "),
]


@given(st.lists(st.sampled_from(pieces), max_size=40).map(b"".join), st.sampled_from([OLD, EIGHT, UTF8, BINARY]))
def test_whatever_a_message_is_made_of_it_fits_or_is_refused(message, offered):
    try:
        found = prepared(ENVELOPE + message, offered)
    except Unsendable:
        return
    octets = b"".join(found.content.plain())
    assert found.content.size == len(octets)
    if b"BINARYMIME" not in found.mail:
        assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
        assert b"\0" not in octets
        assert max(map(len, octets.split(b"\r\n"))) <= 998
        assert octets.isascii() or b"8BITMIME" in found.mail
