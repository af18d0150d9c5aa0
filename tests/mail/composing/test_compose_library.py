"""What a composed message is for the standard library: an EmailMessage like any other."""

import copy
import pickle
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage

from ninsho import compose, render

WORDS = {
    "from_": "花子 <hanako@example.jp>",
    "to": "山田太郎 <taro@example.jp>",
    "subject": "お知らせ",
    "text": "本文です。\n",
}


def seen(message):
    return message_from_bytes(render(message), policy=policy.default)


def test_more_can_be_attached():
    message = compose(**WORDS)
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="見積書.pdf")
    [part] = seen(message).iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("見積書.pdf", b"%PDF")
    assert seen(message).get_body().get_content() == "本文です。\r\n"


def test_fields_can_be_replaced():
    message = compose(**WORDS, charset="iso-2022-jp")
    message.replace_header("Subject", "別の件名")
    del message["To"]
    message["To"] = "次郎 <jiro@example.jp>"
    assert seen(message)["Subject"] == "別の件名"
    assert seen(message)["To"].addresses[0].display_name == "次郎"
    assert b"Subject: =?iso-2022-jp?B?" in render(message)


def test_copies_say_the_same():
    message = compose(**WORDS)
    assert render(copy.deepcopy(message)) == render(pickle.loads(pickle.dumps(message))) == render(message)


def test_any_policy_writes_it():
    message = compose(**WORDS, charset="iso-2022-jp")
    for other in (policy.SMTP, policy.default, policy.SMTPUTF8.clone(utf8=False)):
        octets = message.as_bytes(policy=other)
        assert b"Subject: =?iso-2022-jp?B?" in octets
        assert message_from_bytes(octets, policy=policy.default)["To"].addresses[0].display_name == "山田太郎"


def test_it_can_be_forwarded():
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = "a@example.jp", "b@example.jp", "FW"
    outer.set_content("x")
    outer.add_attachment(compose(**WORDS))
    [inner] = seen(outer).iter_attachments()
    assert inner.get_content()["Subject"] == "お知らせ"


def test_fields_of_the_older_kind_are_taken():
    message = compose(**WORDS)
    del message["Subject"]
    message["Subject"] = Header("鈴木", "utf-8")
    assert seen(message)["Subject"] == "鈴木"


def test_text_and_octets_are_the_library_s():
    message = compose(**WORDS)
    assert message.as_string().isascii()
    assert render(message) == message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def test_eight_bits_are_written_and_made_fit():
    message = compose(**WORDS, encoding="8bit")
    assert "本文です。".encode() in message.as_bytes()
    assert render(message).isascii()
    assert seen(message).get_content() == "本文です。\r\n"
