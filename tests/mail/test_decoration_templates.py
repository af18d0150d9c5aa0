"""Template files of decoration mail: docomo's .dmt, au's .khm, SoftBank's .hmt."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.decoration.templates import FORMATS, Template, TemplateImage, read_template, write_template
from ninsho.mail.unsendable import Unsendable

GIF = b"GIF89a\x01\x00\x01\x00\x00\xff\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x00;"

DMT = (
    b"Decomail-Template\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/related;boundary="5000000000"\r\n'
    b"\r\n"
    b"--5000000000\r\n"
    b"Content-Type: text/html; charset=Shift_JIS\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"\r\n"
    b'<html><body>\x90\xb0\x82\xea\xf8\x9f<img src="cid:00"></body></html>\r\n'
    b"--5000000000\r\n"
    b"Content-Type: image/gif; name=a.gif\r\n"
    b"Content-Transfer-Encoding: base64\r\n"
    b"Content-ID: <00>\r\n"
    b"\r\n"
    b"R0lGODlhAQABAAD/ACwAAAAAAQABAAACADs=\r\n"
    b"--5000000000--\r\n"
)
KHM = (
    b"KDDI_HTML_MAIL_1_0\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-type: multipart/mixed; boundary="--=_KDDI_NEXT_PART_0000"\r\n'
    b"\r\n"
    b"----=_KDDI_NEXT_PART_0000\r\n"
    b"Content-Type: text/html; charset=iso-2022-jp\r\n"
    b"Content-Transfer-Encoding: 7bit\r\n"
    b"\r\n"
    b"<html><body>\x1b$B@2uA\x1b(B</body></html>\r\n"
    b"----=_KDDI_NEXT_PART_0000--\r\n"
)
HMT = (
    b"HTMLMail-Template-Version:1.0\r\n"
    b"HTMLMail-Template-Title:\x90\xb0\x82\xea\r\n"
    b"\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-type: multipart/related; boundary="aremejkj15a14"\r\n'
    b"\r\n"
    b"--aremejkj15a14\r\n"
    b"Content-Type: text/html; charset=Shift_JIS\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"\r\n"
    b"<html><body>\xf9\x8b</body></html>\r\n"
    b"--aremejkj15a14--\r\n"
)
images = st.builds(
    TemplateImage,
    st.text(st.sampled_from("abc012@._-"), min_size=1),
    st.sampled_from(["image/gif", "image/jpeg"]),
    st.binary(max_size=200),
)


@pytest.mark.parametrize(
    ("octets", "carrier", "html", "title"),
    [
        (DMT, Carrier.DOCOMO, '<html><body>晴れ☀️<img src="cid:00"></body></html>', ""),
        (KHM, Carrier.AU, "<html><body>晴☀️</body></html>", ""),
        (HMT, Carrier.SOFTBANK, "<html><body>☀️</body></html>", "晴れ"),
    ],
    ids=["dmt", "khm", "hmt"],
)
def test_a_template_is_read(octets, carrier, html, title):
    found, template = read_template(octets)
    assert (found, template.html, template.title, template.text) == (carrier, html, title, "")
    # As editors leave it.
    assert read_template(octets.replace(b"\r\n", b"\n")) == (found, template)


def test_its_images_are_read():
    [image] = read_template(DMT)[1].images
    assert image == TemplateImage("00", "image/gif", GIF, "a.gif")


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("dmt", b'Decomail-Template\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="'),
        ("khm", b'KDDI_HTML_MAIL_2_0\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="'),
        (
            "hmt",
            b"HTMLMail-Template-Version:1.0\r\nHTMLMail-Template-Title:HTMLMail-Template\r\n\r\nMIME-Version: 1.0\r\n",
        ),
    ],
)
def test_a_template_is_written_as_handsets_expect_it(kind, first):
    octets = write_template(Template("<html>\n<body>晴れ☀️🤣", [TemplateImage("00", "image/gif", GIF)]), kind)
    assert octets.startswith(first)
    assert octets.replace(b"\r\n", b"").count(b"\n") == 0
    assert (b"charset=Shift_JIS\r\nContent-Transfer-Encoding: 8bit" in octets) == (kind != "khm")
    carrier, template = read_template(octets)
    assert carrier is FORMATS[kind].carrier
    # In one line; what the handsets have not is their printers' blank.
    assert template.html == "<html><body>晴れ☀️〓"
    assert [(image.cid, image.data) for image in template.images] == [("00", GIF)]


@pytest.mark.parametrize("kind", FORMATS)
@given(
    html=st.lists(st.sampled_from([*'<p>/晴れabc ="①', "☀️"]), min_size=1).map("".join).map(str.strip).filter(bool),
    text=st.lists(st.sampled_from([*"晴れabc\n .", "☀️"])).map("".join),
    images=st.lists(images, max_size=3),
)
def test_what_is_written_is_what_is_read(kind, html, text, images):
    _, template = read_template(write_template(Template(html, images, text), kind))
    assert template.html == html
    assert template.text.replace("\r\n", "\n") == text
    assert [(image.cid, image.data) for image in template.images] == [(image.cid, image.data) for image in images]


@pytest.mark.parametrize(
    ("octets", "finding"),
    [
        (b"", "expected a template of decoration mail (.dmt, .khm or .hmt), got b''"),
        (b"From: a@example.com\r\n\r\nx", "expected a template of decoration mail"),
        (b"Decomail-Template", "expected a template of decoration mail"),
        (b"Decomail-Template\r\nContent-Type: text/plain\r\n\r\nx", "expected HTML in the template, got plain"),
        (b"KDDI_HTML_MAIL_9\r\n\r\nx", "expected a template of decoration mail"),
    ],
)
def test_what_is_none_is_refused(octets, finding):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the sentence is looked at
        read_template(octets)
    assert finding in str(caught.value)


@given(st.sampled_from([DMT, KHM, HMT]), st.data())
def test_however_a_file_is_damaged_it_is_read_or_refused(octets, data):
    place = data.draw(st.integers(0, len(octets)))
    damaged = octets[:place] + data.draw(st.binary(max_size=10)) + octets[data.draw(st.integers(place, len(octets))) :]
    with suppress(ValueError):
        read_template(damaged)


@pytest.mark.parametrize(
    ("template", "kind", "finding"),
    [
        (Template("x"), "eml", "template: expected one of dmt, khm, hmt, got 'eml'"),
        (Template("x", title="a\r\nb"), "hmt", "template: title: expected one line, got 'a\\r\\nb'"),
        (Template("😀я한"), "dmt", "template: html: cannot be written in shift_jis: '한' (U+D55C) at character 3"),
        (Template("x", [TemplateImage("a b", "image/gif", b"")]), "dmt", "expected a content id in ASCII, got 'a b'"),
        (Template("x", [TemplateImage("a>\r\n", "image/gif", b"")]), "dmt", "expected a content id in ASCII"),
        (Template("x", [TemplateImage("a", "image/gif\r\nX: y", b"")]), "dmt", "expected the type of an image"),
    ],
)
def test_76_what_cannot_stand_in_a_template_is_refused(template, kind, finding):
    with pytest.raises(Unsendable) as caught:
        write_template(template, kind)
    assert finding in str(caught.value)


@pytest.mark.parametrize("cid", ["😀", "\uffff", "あ", "a b", "a>", ""])
def test_a_content_id_is_ascii(cid):
    with pytest.raises(Unsendable, match="template: image: expected a content id in ASCII"):
        write_template(Template("<p>", (TemplateImage(cid, "image/gif", GIF),)), "dmt")
