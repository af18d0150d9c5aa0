"""Django's mail by ninsho: real connections of Django's to a real local server."""

import re
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings
from django.utils.functional import lazy

from ninsho.client.errors import AuthenticationFailed, ConnectionFailed, RecipientsRefused
from ninsho.django import EmailBackend
from ninsho.errors import NinshoError
from ninsho.testing import MailServer

BACKEND = "ninsho.django.EmailBackend"

if not settings.configured:
    settings.configure()

# From 6.1 on Django says at each step that MAILERS should be used; 5.2 has only these.
pytestmark = pytest.mark.filterwarnings("ignore:.*(MAILERS|EMAIL_|get_connection|deprecated).*")


@pytest.fixture
def server():
    with MailServer(users={"tim": "tanstaaf"}) as running:
        yield running
        assert running.violations == []


@contextmanager
def site(**told):
    with override_settings(EMAIL_BACKEND=BACKEND, **told):
        yield


def at(server, **more):
    return site(EMAIL_HOST="127.0.0.1", EMAIL_PORT=server.port, **more)


def letter(number=1, to="b@example.org", **more):
    return mail.EmailMessage(f"hi {number}", "hello\n", "a@example.org", [to], **more)


def test_a_mail_is_sent(server):
    with at(server):
        assert mail.send_mail("挨拶", "こんにちは\n", "Tim <tim@example.org>", ["b@bücher.example"]) == 1
    (received,) = server.messages
    assert received.sender == "tim@example.org"
    assert received.recipients == ("b@xn--bcher-kva.example",)
    assert received.message["Subject"] == "挨拶"
    assert received.message.get_content() == "こんにちは\n"


def test_alternatives_attachments_and_blind_copies(server):
    message = mail.EmailMultiAlternatives(
        "hi", "text\n", "a@example.org", ["b@example.org"], bcc=["d@example.org"], cc=["c@example.org"]
    )
    message.attach_alternative("<p>text</p>", "text/html")
    message.attach("名前.bin", bytes(range(256)), "application/octet-stream")
    with at(server):
        assert message.send() == 1
    (received,) = server.messages
    assert received.recipients == ("b@example.org", "c@example.org", "d@example.org")
    assert received.message["Bcc"] is None
    assert b"d@example.org" not in received.content
    (attachment,) = received.message.iter_attachments()
    assert attachment.get_filename() == "名前.bin"
    assert attachment.get_content() == bytes(range(256))
    assert message.receipt.queue_id == received.queue_id


def test_many_go_on_one_connection(server):
    with at(server):
        connection = mail.get_connection()
        assert connection.send_messages([letter(number) for number in range(50)]) == 50
        assert connection.send_messages([letter()]) == 1
    assert [received.message["Subject"] for received in server.messages] == [f"hi {n}" for n in range(50)] + ["hi 1"]
    assert len(server.talks) == 2


def test_a_connection_that_was_opened_stays_until_it_is_closed(server):
    with at(server), mail.get_connection() as connection:
        assert connection.open() is False
        for number in range(3):
            letter(number, connection=connection).send()
        assert len(server.talks) == 1
        connection.close()
        assert connection.open() is True
    assert len(server.talks) == 2
    assert b"QUIT" in server.talks[1].heard


def test_it_logs_in_by_the_best_mechanism(server):
    with at(server, EMAIL_HOST_USER="tim", EMAIL_HOST_PASSWORD="tanstaaf", EMAIL_USE_TLS=False):
        assert letter().send() == 1
    assert server.messages[0].mechanism == "SCRAM-SHA-512"


def test_another_user_for_one_call(server):
    with at(server, EMAIL_HOST_USER="tim", EMAIL_HOST_PASSWORD="tanstaaf", EMAIL_USE_TLS=False):
        connection = mail.get_connection(username="nobody", password="x")
        with pytest.raises(AuthenticationFailed):
            connection.send_messages([letter()])
        assert mail.get_connection(username="nobody", password="x", fail_silently=True).send_messages([letter()]) == 0


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_tls_with_certificates_that_are_verified(tls, monkeypatch):
    told = {"EMAIL_USE_TLS": tls == "starttls", "EMAIL_USE_SSL": tls == "implicit", "EMAIL_TIMEOUT": 10}
    with MailServer(users={"tim": "tanstaaf"}, tls=tls) as server:
        with site(EMAIL_HOST="localhost", EMAIL_PORT=server.port, **told):
            with pytest.raises(Exception, match="authority that is not known here"):
                letter().send()
            monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
            assert letter().send() == 1
        assert server.messages[0].tls


def test_a_password_is_not_said_without_tls():
    with MailServer(users={"tim": "tanstaaf"}) as server:
        with at(server, EMAIL_HOST_USER="tim", EMAIL_HOST_PASSWORD="tanstaaf"), pytest.raises(Exception, match="TLS"):
            letter().send()
        assert b"AUTH" not in server.talks[0].heard


def test_all_by_a_url(server):
    with site(EMAIL_URL=server.url_for("tim") + "&in_flight=2"):
        assert letter().send() == 1
        connection = mail.get_connection(connections=2)
        assert connection._client.settings.limits.connections == 2
        assert connection._client.settings.limits.in_flight == 2
    assert server.messages[0].username == "tim"


def test_those_who_are_refused(server):
    server.fail("RCPT", 550, "no", when="nobody@example.org".__eq__)
    messages = [letter(1), letter(2, to="nobody@example.org"), letter(3)]
    with at(server):
        with pytest.raises(RecipientsRefused):
            mail.get_connection().send_messages(messages)
        assert len(server.messages) == 2
        assert [message.receipt.ok for message in messages] == [True, False, True]
        assert mail.get_connection(fail_silently=True).send_messages(messages) == 2


def test_a_message_that_cannot_be_made_stops_no_others(server):
    messages = [letter(1), letter("x\ny"), letter(3)]
    with at(server):
        with pytest.raises(mail.BadHeaderError):
            mail.get_connection().send_messages(messages)
        assert [received.message["Subject"] for received in server.messages] == ["hi 1", "hi 3"]
        assert [message.receipt.ok for message in messages] == [True, False, True]
        assert messages[1].receipt.refused[0].recipient == "b@example.org"
        assert isinstance(messages[1].receipt.error.__cause__, mail.BadHeaderError)
        assert mail.get_connection(fail_silently=True).send_messages(messages) == 2
        assert mail.get_connection(fail_silently=True).send_messages(messages[1:2]) == 0


def test_the_first_failure_is_the_first_messages(server):
    server.fail("RCPT", 550, "no", when="nobody@example.org".__eq__)
    refused, faulty = letter(1, to="nobody@example.org"), letter("x\ny")
    with at(server):
        with pytest.raises(RecipientsRefused):
            mail.get_connection().send_messages([refused, faulty])
        with pytest.raises(mail.BadHeaderError):
            mail.get_connection().send_messages([faulty, refused])


def test_messages_are_made_in_the_language_of_who_sends_them(server):
    made = [letter(), letter()]
    for message in made:
        message.subject = lazy(lambda: threading.current_thread().name, str)()
    with at(server):
        assert mail.get_connection(connections=2).send_messages(made) == 2
    assert {received.message["Subject"] for received in server.messages} == {threading.current_thread().name}


def test_each_message_is_made_when_its_turn_comes(server):
    made = []

    class Noted(mail.EmailMessage):
        def message(self, **told):
            made.append(len(server.messages))
            return super().message(**told)

    with at(server):
        messages = [Noted("hi", "hello\n", "a@example.org", ["b@example.org"]) for _ in range(100)]
        assert mail.get_connection().send_messages(messages) == 100
    assert made[0] == 0
    assert made[-1] > 50


@pytest.mark.parametrize("secret", [{"password_command": "false"}, {"password": lambda: "a\0b"}])
def test_a_password_that_cannot_be_had_is_a_failure_to_send(server, secret):
    def backend(**told):
        return EmailBackend("127.0.0.1", server.port, username="tim", use_tls=False, **secret, **told)

    message = letter()
    with pytest.raises(NinshoError):
        backend().send_messages([message])
    assert not message.receipt.ok
    with pytest.raises(NinshoError):
        backend().open()
    assert backend(fail_silently=True).send_messages([message, letter()]) == 0
    assert backend(fail_silently=True).open() is None


def test_a_message_for_nobody_is_none(server):
    with at(server):
        assert mail.get_connection().send_messages([mail.EmailMessage("hi", "", "a@example.org", [])]) == 0
        assert mail.get_connection().send_messages([]) == 0
    assert server.talks == []


def test_where_nothing_listens():
    with MailServer() as server:
        port = server.port
    with site(EMAIL_HOST="127.0.0.1", EMAIL_PORT=port):
        with pytest.raises(ConnectionFailed):
            mail.get_connection().send_messages([letter()])
        with pytest.raises(ConnectionFailed):
            mail.get_connection().open()
        silent = mail.get_connection(fail_silently=True)
        messages = [letter(), letter()]
        assert silent.send_messages(messages) == 0
        assert [isinstance(message.receipt.error, ConnectionFailed) for message in messages] == [True, True]
        assert silent.open() is None


def test_it_may_be_used_by_several_threads(server):
    with at(server), mail.get_connection() as connection:
        threads = [threading.Thread(target=connection.send_messages, args=([letter(n)],)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(received.message["Subject"] for received in server.messages) == [f"hi {n}" for n in range(8)]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"use_tls": True, "use_ssl": True}, "use_tls: expected none beside use_ssl"),
        ({"passwort": "x"}, "unknown keyword 'passwort'; did you mean password"),
        ({"port": 123456}, "port: expected a number"),
        ({"url": "http://mail.example.com"}, "expected smtp://"),
    ],
)
def test_what_cannot_work_is_said_at_once(told, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        EmailBackend("mail.example.com", **told) if "url" not in told else EmailBackend(**told)


def mailer(alias, options):
    """What Django makes of ``MAILERS``, which it has from 6.1 on."""
    if not hasattr(mail, "mailers"):
        return EmailBackend(alias=alias, **options)
    with override_settings(MAILERS={alias: {"BACKEND": BACKEND, "OPTIONS": options}}):
        return mail.mailers[alias]


def test_mailers(server):
    plain = mailer("default", {"host": "127.0.0.1", "port": server.port})
    assert plain.send_messages([letter()]) == 1
    news = mailer("news", {"url": server.url_for("tim"), "rate": "1000/s"})
    assert news.send_messages([letter(), letter()]) == 2
    assert [received.username for received in server.messages] == [None, "tim", "tim"]
    with pytest.raises(ImproperlyConfigured, match="unknown keyword 'colour'"):
        mailer("wrong", {"url": server.url, "colour": "red"})


def test_mailers_know_nothing_of_the_settings_before_them(server, monkeypatch):
    monkeypatch.setenv("SMTP_URL", server.url)
    with site(EMAIL_HOST="elsewhere.example", EMAIL_URL="smtp://elsewhere.example"):
        assert mailer("default", {}).send_messages([letter()]) == 1


def test_the_settings_that_the_documents_show(server):
    text = (Path(__file__).parents[2] / "docs" / "moving-from-smtplib.md").read_text()
    local = re.sub(r"smtp://alice:secret@mail.example.com:587", server.url_for("tim"), text)
    blocks = [block for block in re.findall(r"```python\n(.*?)```", local, re.DOTALL) if "ninsho.django" in block]
    told = {}
    for block in blocks:
        exec(block, told)
    with site(EMAIL_URL=told["EMAIL_URL"]):
        assert letter().send() == 1
    for alias, one in told["MAILERS"].items():
        assert one["BACKEND"] == BACKEND
        assert mailer(alias, one["OPTIONS"]).send_messages([letter()]) == 1
