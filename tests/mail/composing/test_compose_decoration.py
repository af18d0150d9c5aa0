"""A decoration mail made of words is what the recipient's handset takes."""

import re
from base64 import b64decode
from email import message_from_bytes, policy

import pytest

from ninsho import Attachment, compose, render
from ninsho.mail.unsendable import Unsendable

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def seen(to, **words):
    image = Attachment(data=PNG, filename="a.png", content_id="a@example.jp")
    words = {"text": "本文☀", "html": "<p>\n本文☀\n<img src='cid:a@example.jp'></p>", "attach": [image]} | words
    message = compose(from_="a@example.jp", to=to, decoration=True, **{"subject": "晴れ☀"} | words)
    return message_from_bytes(render(message), policy=policy.default)


def shape(part):
    return (
        f"{part.get_content_subtype()}({', '.join(map(shape, part.iter_parts()))})"
        if part.is_multipart()
        else part.get_content_type()
    )


@pytest.mark.parametrize(
    ("to", "expected", "charset"),
    [
        ("a@docomo.ne.jp", "mixed(related(alternative(text/plain, text/html), image/png))", "shift_jis"),
        ("a@ezweb.ne.jp", "mixed(alternative(text/plain, text/html), image/png)", "iso-2022-jp"),
        ("a@softbank.ne.jp", "related(alternative(text/plain, text/html), image/png)", "utf-8"),
        ("a@example.jp", "related(alternative(text/plain, text/html), image/png)", "utf-8"),
    ],
)
def test_the_tree_and_the_charset_are_the_carriers(to, expected, charset):
    message = seen(to)
    assert shape(message) == expected
    assert {part.get_content_charset() for part in message.walk() if part.get_content_maintype() == "text"} == {charset}


def test_docomos_sun_is_in_its_own_place():
    text = next(part for part in seen("a@docomo.ne.jp").walk() if part.get_content_type() == "text/plain")
    assert text.get_payload(decode=True) == "本文".encode("cp932") + b"\xf8\x9f\r\n"


def test_a_text_alone_has_no_tree():
    assert seen("a@docomo.ne.jp", html=None, attach=()).get_content_type() == "text/plain"


def test_recipients_of_several_carriers_want_several_messages():
    with pytest.raises(Unsendable, match="decoration: expected recipients of one carrier"):
        seen("a@docomo.ne.jp, b@ezweb.ne.jp")


def test_what_the_carrier_does_not_deliver_is_told():
    with pytest.raises(Unsendable, match="decoration for docomo: images: expected at most"):
        seen("a@docomo.ne.jp", attach=[Attachment(data=bytes(100_000), filename="a.png", content_id="a@example.jp")])


SUN = {"a@docomo.ne.jp": b"\xf8\x9f", "a@ezweb.ne.jp": b"uA\x1b(B", "a@softbank.ne.jp": "\ue04a".encode()}


def texts(message):
    return {
        part.get_content_subtype(): (part.get_content_charset(), part.get_payload(decode=True))
        for part in message.walk()
        if part.get_content_maintype() == "text"
    }


@pytest.mark.parametrize("to", ["a@docomo.ne.jp", "a@ezweb.ne.jp"])
def test_where_a_text_falls_back_to_utf8_so_do_its_emoji(to):
    message = seen(to, text="한국☀", html="<p>한국☀&#9728;", subject="한국☀", unencodable="utf-8")
    assert texts(message) == {
        "plain": ("utf-8", "한국☀\r\n".encode()),
        "html": ("utf-8", "<p>한국☀&#9728;\r\n".encode()),
    }
    assert message["Subject"] == "한국☀"


def test_each_text_falls_back_by_itself():
    found = texts(seen("a@docomo.ne.jp", text="晴☀", html="<p>한국☀", unencodable="utf-8"))
    assert found["plain"] == ("shift_jis", "晴".encode("cp932") + SUN["a@docomo.ne.jp"] + b"\r\n")
    assert found["html"] == ("utf-8", "<p>한국☀\r\n".encode())


def test_softbank_has_its_own_in_utf8():
    found = texts(seen("a@softbank.ne.jp", text="한국☀", html=None, attach=(), unencodable="utf-8"))
    assert found == {"plain": ("utf-8", "한국\ue04a\r\n".encode())}


@pytest.mark.parametrize("to", SUN)
def test_emoji_may_be_references_in_html(to):
    assert SUN[to] in texts(seen(to, html="<p>&#9728;"))["html"][1]


@pytest.mark.parametrize("to", SUN)
@pytest.mark.parametrize("form", ["山☀ <{}>", '"山, ☀" <{}>', "b@{0}, 山☀ <{}>"])
def test_names_of_people_have_the_emoji_of_the_handset(to, form):
    told = form.replace("{0}", to[2:]).replace("{}", to)
    octets = render(compose(from_="山☀ <a@example.jp>", to=told, text="x", decoration=True))
    assert octets.count(b"<a@") == 2
    for line in octets.split(b"\r\n"):
        if line.startswith((b"From:", b"To:")):
            words = re.findall(rb"=\?[^?]+\?B\?([^?]+)\?=", line)
            assert SUN[to] in b"".join(map(b64decode, words))


def test_an_address_is_no_name():
    message = compose(from_="a@example.jp", to="山☀ <☀@docomo.ne.jp>", text="x", decoration=True)
    octets = message.as_bytes(policy=message.policy.clone(utf8=True))
    assert "<☀@docomo.ne.jp>".encode() in octets


def test_names_that_fall_back_to_utf8_have_unicodes_emoji():
    message = compose(from_="a@example.jp", to="한국☀ <a@docomo.ne.jp>", text="x", decoration=True, unencodable="utf-8")
    assert message["To"] == "한국☀ <a@docomo.ne.jp>"
    assert "utf-8" in render(message).decode()
