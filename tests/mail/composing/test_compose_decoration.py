"""A decoration mail made of words is what the recipient's handset takes."""

from email import message_from_bytes, policy

import pytest

from ninsho import Attachment, compose, render
from ninsho.mail.unsendable import Unsendable

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def seen(to, **words):
    image = Attachment(data=PNG, filename="a.png", content_id="a@example.jp")
    words = {"text": "本文☀", "html": "<p>\n本文☀\n<img src='cid:a@example.jp'></p>", "attach": [image]} | words
    message = compose(from_="a@example.jp", to=to, subject="晴れ☀", decoration=True, **words)
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
