import base64
import os
import re
import time
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.html.folder import Folder
from ninsho.mail.html.images import InlineImage, with_inline_images
from ninsho.mail.html.markup import attributes, pieces, value
from ninsho.mail.unsendable import Unsendable

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 20
GIF = b"GIF89a" + b"g" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"j" * 20
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.png").write_bytes(PNG)
    (folder / "sub" / "b.gif").write_bytes(GIF)
    (folder / "花 の写真.jpg").write_bytes(JPEG)
    (folder / "x.svg").write_bytes(SVG)
    (folder / "notes.txt").write_text("secret")
    (folder / "font.woff").write_bytes(b"wOFF")
    (tmp_path / "outside.png").write_bytes(PNG)
    return folder


def token(octets):
    return "t"


def shown(html, folder=None):
    return with_inline_images(html, folder, token=token)


def test_a_file_is_shown_by_its_content_id(folder):
    html, images = shown('<p>こんにちは<IMG alt="花" SRC="a.png"\n width=10 /></p>', folder)
    assert html == '<p>こんにちは<IMG alt="花" SRC="cid:image1.t@ninsho"\n width=10 /></p>'
    assert images == [InlineImage("image1.t@ninsho", "a.png", "image/png", PNG)]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<img src='a.png'>", "<img src='cid:1'>"),
        ("<img src=a.png>", "<img src=cid:1>"),
        ("<img src=a.png/>", "<img src=cid:1>"),
        ("<img src = ' a.png\n'>", "<img src = 'cid:1'>"),
        ("<img src=./a.png>", "<img src=cid:1>"),
        ("<img src=sub/b.gif>", "<img src=cid:1>"),
        ('<img src="%E8%8A%B1%20の写真.jpg">', '<img src="cid:1">'),
        ('<img src="花 の写真.jpg">', '<img src="cid:1">'),
        ('<img src="&#33457; の写真.jpg">', '<img src="cid:1">'),
        ('<img src="a.png?v=2#top">', '<img src="cid:1">'),
        ('<img src="a.png" src="missing.png">', '<img src="cid:1" src="missing.png">'),
        (
            '<img alt=">" title=\'src="missing.png"\' src="a.png">',
            '<img alt=">" title=\'src="missing.png"\' src="cid:1">',
        ),
        ('<table background="a.png"><td background=sub/b.gif>', '<table background="cid:1"><td background=cid:2>'),
        ('<input type=image src="a.png">', '<input type=image src="cid:1">'),
        (
            '<img srcset="a.png, sub/b.gif 2x,https://x/y.png 3x" src=a.png>',
            '<img srcset="cid:1, cid:2 2x,https://x/y.png 3x" src=cid:1>',
        ),
        ('<img srcset="a.png,sub/b.gif">', '<img srcset="cid:1,cid:2">'),
        ('<img srcset="https://x/a,b.png 2x,a.png">', '<img srcset="https://x/a,b.png 2x,cid:1">'),
        ('<table background="red"><td background="">', None),
        (r'<td style="background:url(a\.png)">', '<td style="background:url(cid:1)">'),
        (r"<td style='background:url(\61 .p\00006e g)'>", "<td style='background:url(cid:1)'>"),
        (r"""<style>p{background:url('a\.png')}</style>""", "<style>p{background:url('cid:1')}</style>"),
        ("""<style>p:before{content:"url(a.png)"}</style>""", None),
        (
            r"""<style>p:before{content:"\"url(a.png)"} b{background:url("a.png")}</style>""",
            r"""<style>p:before{content:"\"url(a.png)"} b{background:url("cid:1")}</style>""",
        ),
        (
            '<p style="content:&quot;url(a.png)&quot;;background:url(a.png)">',
            '<p style="content:&quot;url(a.png)&quot;;background:url(cid:1)">',
        ),
        (
            "<style>p{font-family:O'Brien}\nb{background:url(a.png)}</style>",
            "<style>p{font-family:O'Brien}\nb{background:url(cid:1)}</style>",
        ),
        (
            '<td style="color:red;background:url(a.png) no-repeat">',
            '<td style="color:red;background:url(cid:1) no-repeat">',
        ),
        ("<td style='background:URL( \"a.png\" )'>", "<td style='background:URL( \"cid:1\" )'>"),
        ('<td style="background:url(&quot;a.png&quot;)">', '<td style="background:url(&quot;cid:1&quot;)">'),
        ('<td style="background:url(&#39;花 の写真.jpg&#39;)">', '<td style="background:url(&#39;cid:1&#39;)">'),
        (
            "<style>p{background:url('a.png')} /* url(b.png) */</style>",
            "<style>p{background:url('cid:1')} /* url(b.png) */</style>",
        ),
        ("<style>@import url(a.css);@font-face{src:url(font.woff)}</style>", None),
        ("<!--[if mso]><v:fill src='a.png' /><![endif]-->", "<!--[if mso]><v:fill src='cid:1' /><![endif]-->"),
        ("<!-- <img src=missing.png> -->", None),
        ("<script>'<img src=missing.png>'</script>", None),
        ("<textarea><img src=missing.png></textarea>", None),
        ("<a href=a.png>a.png</a>", None),
        ("<video src=a.mp4><iframe src=a.html></iframe><script src=a.js></script>", None),
        ("<img>", None),
        ("<img src>", None),
        ("<img src=''><img src='#x'>", None),
        ("< img src=missing.png>", None),
        ("<img src=missing.png", None),
        ('<img src="missing.png>', None),
    ],
)
def test_only_what_names_an_image_is_changed(folder, html, expected):
    written, _ = shown(html, folder)
    assert re.sub(r"cid:image(\d)\.t@ninsho", r"cid:\1", written) == (expected or html)


@pytest.mark.parametrize(
    "src",
    [
        "https://example.jp/a.png",
        "HTTP://x/a.png",
        "//example.jp/a.png",
        "cid:photo.jpg",
        "file:///etc/passwd",
        "about:blank",
        "blob:x",
    ],
)
def test_83_what_stands_elsewhere_is_left_alone(folder, src):
    html = f'<img src="{src}">'
    assert shown(html, folder) == (html, [])


def test_83_nothing_is_read_without_a_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    html = '<img src="a.png"><td background="../outside.png" style="background:url(a.png)">'
    assert shown(html) == (html, [])


def test_78_each_file_is_one_part_and_each_cid_another(folder):
    html, images = shown(
        '<img src=a.png><img src=./a.png><img src="a%2Epng"><img src=sub/b.gif><td style="background:url(a.png)">',
        folder,
    )
    assert [image.filename for image in images] == ["a.png", "b.gif"]
    assert html.count("cid:image1.t@ninsho") == 4
    assert len({image.cid for image in images}) == 2


def test_78_the_cids_of_two_messages_are_others(folder):
    first, second = (with_inline_images("<img src=a.png>", folder)[1][0].cid for _ in range(2))
    assert first != second
    assert re.fullmatch(r"image1\.[0-9a-f]{32}@ninsho", first)


@pytest.mark.parametrize(
    ("src", "finding"),
    [
        ("missing.png", "no such file"),
        ("sub", "no such file"),
        ("a.png/x.png", "no such file"),
        ("x" * 5000 + ".png", "File name too long"),
        ("../outside.png", "a path that leads out of it"),
        ("sub/../a.png", "a path that leads out of it"),
        ("%2e%2e/outside.png", "a path that leads out of it"),
        ("sub/%2E%2E%2F../outside.png", "a path that leads out of it"),
        ("/etc/passwd", "a path that leads out of it"),
        ("%2Fetc%2Fpasswd", "a path that leads out of it"),
        (r"\\server\share\a.png", "a path that leads out of it"),
        (r"sub\b.gif", "a path that leads out of it"),
        (r"..\outside.png", "a path that leads out of it"),
        ("%5C%5Cserver%5Cshare%5Ca.png", "a path that leads out of it"),
        ("C%3A/a.png", "a path that leads out of it"),
        ("a%00.png", "a path that leads out of it"),
        ("link.png", "a link that leads out of it"),
        ("linked/outside.png", "a link that leads out of it"),
        ("round.png", ""),
        ("pipe.png", "no such file"),
        ("/dev/zero", "a path that leads out of it"),
    ],
)
def test_83_nothing_outside_of_the_folder_is_read(folder, src, finding):
    (folder / "link.png").symlink_to(folder.parent / "outside.png")
    (folder / "linked").symlink_to(folder.parent)
    (folder / "round.png").symlink_to(folder / "round.png")
    os.mkfifo(folder / "pipe.png")
    with pytest.raises(Unsendable, match=r"^html: src .*: expected a file in .*images, got ") as refused:
        shown(f'<img src="{src}">', folder)
    assert str(refused.value).endswith(finding)
    assert src[:20].replace("\\", "\\\\") in str(refused.value)


def test_a_link_within_the_folder_is_followed(folder):
    (folder / "inside.png").symlink_to("a.png")
    assert shown("<img src=inside.png><img src=a.png>", folder)[0].count("image1.t@ninsho") == 2


def test_a_folder_that_is_a_link_is_one(folder, tmp_path):
    (tmp_path / "other").symlink_to(folder)
    assert shown("<img src=a.png>", tmp_path / "other")[1][0].data == PNG


def test_names_are_found_however_their_unicode_is_composed(folder):
    (folder / "か\u3099.png").write_bytes(PNG)
    assert shown("<img src=が.png>", folder)[1][0].data == PNG


def test_names_that_look_like_urls_are_found(folder):
    for name in ("図#1.png", "100%.png", "a?b.png"):
        (folder / name).write_bytes(PNG)
        assert shown(f'<img src="{name}">', folder)[1][0].filename == name
        assert shown(f'<img src="{quote(name)}">', folder)[1][0].filename == name


def test_names_that_are_no_utf8_are_found(folder):
    name = os.fsdecode("図.png".encode("shift_jis"))
    (folder / name).write_bytes(PNG)
    assert shown(f'<img src="{quote(os.fsencode(name))}">', folder)[1][0].filename == name


@pytest.mark.parametrize("name", ["missing", "a.png"])
def test_images_come_from_a_folder(folder, name):
    with pytest.raises(Unsendable, match=r"^images: expected a folder, got "):
        shown("<p>", folder / name)


@pytest.mark.parametrize(
    ("name", "octets", "content_type"),
    [
        ("a", PNG, "image/png"),
        ("a.jpg", PNG, "image/png"),
        ("a.JPG", b"?", "image/jpeg"),
        ("a.gif", GIF, "image/gif"),
        ("a.txt", JPEG, "image/jpeg"),
        ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        ("b", b"BM\x46\0\0\0\0\0\0\0\x36", "image/bmp"),
        ("b.bmp", b"?", "image/bmp"),
        ("b", SVG, "image/svg+xml"),
        ("b.svg", b"<!-- x --><svg>", "image/svg+xml"),
        ("b.avif", b"\0\0\0\x20ftypavif", "image/avif"),
        ("b.ico", b"\0\0\1\0", "image/vnd.microsoft.icon"),
    ],
)
def test_the_type_is_what_the_file_begins_with_else_what_its_name_says(folder, name, octets, content_type):
    (folder / name).write_bytes(octets)
    assert shown(f"<img src={name}>", folder)[1][0].content_type == content_type


def test_83_what_is_no_image_is_not_sent(folder):
    with pytest.raises(Unsendable, match=r"^html: src 'notes.txt': expected an image .*, got a file") as refused:
        shown("<img src=notes.txt>", folder)
    # What it holds is nobody's business.
    assert "secret" not in str(refused.value)
    assert shown('<td style="background:url(notes.txt)">', folder)[1] == []


@pytest.mark.parametrize(
    ("uri", "content_type", "filename", "octets"),
    [
        ("data:image/png;base64," + base64.b64encode(PNG).decode(), "image/png", "image1.png", PNG),
        ("DATA:image/JPG;BASE64," + base64.b64encode(JPEG).decode().rstrip("="), "image/jpeg", "image1.jpg", JPEG),
        ("data:image/gif;base64," + quote(base64.b64encode(GIF).decode(), safe=""), "image/gif", "image1.gif", GIF),
        ("data:image/png;base64,\n " + base64.encodebytes(PNG * 9).decode(), "image/png", "image1.png", PNG * 9),
        ("data:image/gif," + quote(GIF), "image/gif", "image1.gif", GIF),
        (
            "data:image/svg+xml;charset=utf-8," + quote("<svg>日本</svg>"),
            "image/svg+xml",
            "image1.svg",
            "<svg>日本</svg>".encode(),
        ),
        (
            "data:image/svg+xml;utf8,<svg viewBox='0 0 1 1'>日本</svg>",
            "image/svg+xml",
            "image1.svg",
            "<svg viewBox='0 0 1 1'>日本</svg>".encode(),
        ),
        ("data:image/x-odd,x", "image/x-odd", "image1", b"x"),
    ],
)
def test_data_uris_become_parts(uri, content_type, filename, octets):
    html, images = shown(f'<img src="{uri}"><img src="{uri}">')
    assert html == '<img src="cid:image1.t@ninsho">' * 2
    assert images == [InlineImage("image1.t@ninsho", filename, content_type, octets)]


def test_data_uris_stand_in_styles_and_srcset():
    uri = "data:image/gif;base64," + base64.b64encode(GIF).decode()
    html, images = shown(f'<td style="background:url({uri})"><img srcset="{uri} 2x, {uri}x 3x">'.replace("x 3x", " 3x"))
    assert (
        html
        == '<td style="background:url(cid:image1.t@ninsho)"><img srcset="cid:image1.t@ninsho 2x, cid:image1.t@ninsho 3x">'
    )
    assert len(images) == 1


@pytest.mark.parametrize(
    "uri", ["data:text/html,<b>x", "data:,x", "data:;base64,AA==", "data:image/png", "data:image/,x"]
)
def test_other_data_uris_are_left_alone(uri, folder):
    html = f"<img src='{uri}'>"
    assert shown(html, folder) == (html, [])


@pytest.mark.parametrize("octets", ["!!!!", "A", "AAAAA", "AA=A"])
def test_data_that_is_no_base64_is_refused(octets):
    with pytest.raises(Unsendable, match=r"html: src .*: expected base64"):
        shown(f'<img src="data:image/png;base64,{octets}">')


MARKUP = st.sampled_from(
    [
        "<img src=a.png>",
        '<img src="a.png">',
        "<img",
        " src=",
        '"',
        "'",
        ">",
        "<!--",
        "-->",
        "<style>",
        "</style>",
        "url(a.png)",
        "url(",
        ")",
        "<script>",
        "</script>",
        "<p style='",
        "&quot;",
        "日本",
        "\r\n",
        "<![if x]>",
        "<!--[if mso]>",
        "<![endif]-->",
        "</",
        "<",
        "=",
        "/",
        "a.png",
        '<img srcset="',
        "data:image/png,x",
        ",",
        " ",
        "\x00",
        "<textarea>",
        "<TITLE>",
        "</title >",
    ]
)
SOUP = st.lists(st.one_of(MARKUP, st.text(max_size=3)), max_size=30).map("".join)


@given(SOUP)
def test_html_is_cut_without_loss(html):
    for conditional in (False, True):
        found = list(pieces(html, conditional=conditional))
        assert "".join(html[piece.start : piece.end] for piece in found) == html
        assert all(piece.start < piece.end for piece in found)


@given(SOUP)
def test_all_but_the_names_of_images_stays_as_it_was(html):
    written, images = shown(html)
    assert written.replace("cid:image1.t@ninsho", "data:image/png,x") == html or any(
        image.data != b"x" for image in images
    )


@given(html=SOUP)
def test_whatever_is_not_there_is_told(html, tmp_path_factory):
    try:
        _, images = shown(html, tmp_path_factory.getbasetemp())
    except Unsendable as refused:
        told = str(refused)
    else:
        told = "html: src "
        assert all(image.filename.startswith("image") for image in images)
    assert told.startswith("html: src ")


class StandardLibrary(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: text or "" for name, text in reversed(attrs)}))


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "<img src=a>",
                "<IMG SRC='a b'\n alt=\"x>y\" />",
                "<br/>",
                "x < y &amp; z",
                "<!-- <p> -->",
                "<script>'<p>'</script>",
                "</p>",
                "</ p>",
                "<style>p>b{}</style>",
                "<!DOCTYPE html>",
                "<td a=b=c d e=\"&quot;&#12354;\" f=''>",
                "<a href=x?a=1&b=2>",
                "<!--[if mso]><td><![endif]-->",
            ]
        )
    ).map("".join)
)
def test_tags_and_attributes_are_what_the_standard_library_finds(html):
    parser = StandardLibrary()
    parser.feed(html)
    parser.close()
    found = [
        (piece.name, {attribute.name: value(html, attribute) for attribute in attributes(html, piece)})
        for piece in pieces(html)
        if piece.kind == "start"
    ]
    expected = [
        (tag, {name: text for name, text in attrs.items() if f"{name}=" in html.lower()}) for tag, attrs in parser.tags
    ]
    assert found == expected


@pytest.mark.parametrize(
    "html",
    [
        "<" * 100000,
        "<!--" * 50000,
        "<a " * 50000,
        '<a b="' * 50000,
        "<a b='" * 50000,
        "</" * 50000,
        "<!" * 50000,
        "<script>" * 20000,
        "<style>" + "url(" * 50000,
        "<style>" + 'url("' * 50000,
        "<style>" + "/*" * 50000,
        "<style>'" + r"\"" * 50000,
        "<style>" + "url('" + r"\'" * 50000,
        "<style>" + r"url(\'" * 50000,
        "<style>" + "'\n" * 50000,
        '<p style="' + "&quot;&#34;" * 20000 + "'",
        "<style>" + "@import" * 30000,
        "<a " + "=" * 100000,
        '<img srcset="' + "a," * 50000 + '">',
        '<img srcset="' + "," * 100000 + '">',
        '<img src="' + " " * 100000 + 'data:">',
        "<!--[if" * 30000,
        '<p style="' + "url(&quot;" * 20000 + '">',
        "<a" + " b" * 50000 + ">",
        "<img src=data:image/png" + ";" * 100000 + ">",
        "<title>" * 20000,
    ],
    ids=lambda html: html[:14],
)
def test_no_html_takes_more_time_than_its_length_deserves(html):
    begun = time.process_time()
    shown(html)
    assert time.process_time() - begun < 2


def test_large_images_are_fast_enough():
    uri = "data:image/png;base64," + base64.b64encode(PNG * 300_000).decode()
    begun = time.process_time()
    (image,) = shown(f'<img src="{uri}"><p style="background:url({uri})">')[1]
    assert len(image.data) == len(PNG) * 300_000
    assert time.process_time() - begun < 3


@pytest.mark.parametrize("name", ["./a.png:stream", "sub/a:b", "CON", "sub/nul.png", "com1.gif", "Lpt9 .png", "aux"])
def test_83_names_that_windows_gives_to_devices_and_streams_are_refused_there(folder, name):
    with pytest.raises(Unsendable, match="got a path that leads out of it"):
        Folder(folder, windows=True).file(name)
    with pytest.raises(Unsendable, match="got no such file"):
        Folder(folder, windows=False).file(name)


def test_83_what_became_a_link_meanwhile_is_not_read(folder):
    images = Folder(folder)
    file, below = images.file("a.png"), images.file("sub/b.gif")
    file.unlink()
    file.symlink_to(folder.parent / "outside.png")
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "b.gif").write_bytes(GIF)
    (folder / "sub").rename(folder / "old")
    (folder / "sub").symlink_to(folder.parent / "other")
    for changed in (file, below):
        with pytest.raises(Unsendable, match=r"^html: src '[ab]\.(png|gif)': expected a file in .*images, got "):
            images.octets(changed)


def test_83_what_became_a_pipe_meanwhile_is_not_waited_for(folder):
    images = Folder(folder)
    file = images.file("a.png")
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(Unsendable, match="got no such file"):
        images.octets(file)
