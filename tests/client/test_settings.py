"""Settings from a URL, from keywords, from the environment; what is worked out, and what is refused."""

from pathlib import Path
from ssl import create_default_context

import pytest

import ninsho.client
import ninsho.mail
import ninsho.wire
from ninsho import AsyncClient, Client
from ninsho.client.settings import (
    Endpoint,
    Limits,
    Login,
    PopSettings,
    Rate,
    Retry,
    Settings,
    Timeouts,
    TLSMode,
    Trust,
)
from ninsho.client.words import CAPABILITIES
from ninsho.errors import ConfigurationError
from ninsho.sasl.mechanism import mechanism

PIN = "ab" * 32


def of(url=None, /, **keywords):
    return Settings.of(url, **{"environ": {}, **keywords})


def problems(url=None, /, **keywords):
    with pytest.raises(ConfigurationError) as caught:
        of(url, **keywords)
    return list(caught.value.problems)


def test_one_url_says_it_all():
    found = of(
        "smtp://alice:s%40cret@mail.example.com:2587?tls=required&auth=scram-sha-256&rate=14/s&without=chunking,dsn"
    )
    assert found.endpoints == (Endpoint("mail.example.com", 2587),)
    assert (found.protocol, found.tls) == ("smtp", TLSMode.STARTTLS)
    assert found.login == Login(username="alice", password="s@cret", auth="scram-sha-256")
    assert found.rate == Rate(14, 1)
    assert found.without == {"CHUNKING", "DSN"}


def test_keywords_alone_say_the_same():
    said = {"host": "h.example", "port": 465, "username": "alice", "password": "secret"}
    assert of(**said) == of("smtp://alice:secret@h.example:465")


def test_keywords_win_over_the_url():
    found = of(
        "smtp://alice:secret@h.example:587?timeout=5&tls=none", tls="starttls", timeout=7, password="other", port=2525
    )
    assert found.tls is TLSMode.STARTTLS
    assert found.timeouts.command == 7
    assert found.login.password == "other"
    assert found.endpoints == (Endpoint("h.example", 2525),)


def test_a_keyword_says_all_of_its_group_anew():
    found = of("smtp://alice@h.example?password_command=false", password="secret")
    assert found.login.password == "secret"
    assert of("smtp+unix:///run/socket", host="h.example").endpoints == (Endpoint("h.example", 25),)


def test_none_is_as_good_as_nothing():
    assert of("smtp://h.example", username=None, rate=None) == of("smtp://h.example")


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("smtps://h.example", 465, "implicit"),
        ("smtps://a:b@h.example:2465", 2465, "implicit"),
        ("smtps://h.example?tls=yes", 465, "implicit"),
        ("smtp://h.example:465", 465, "implicit"),
        ("smtp://h.example?tls=implicit", 465, "implicit"),
        ("smtp://a:b@h.example", 587, "starttls"),
        ("smtp://h.example:587", 587, "starttls"),
        ("smtp://a:b@h.example:25", 25, "starttls"),
        ("smtp://a:b@localhost:25", 25, "starttls"),
        ("smtp://h.example", 25, "opportunistic"),
        ("smtp://h.example?tls=required", 25, "starttls"),
        ("smtp://h.example:465?tls=required", 465, "implicit"),
        ("smtp://h.example?tls=no", 25, "none"),
        ("smtp://h.example?server_name=other.example", 25, "starttls"),
        ("smtp://localhost", 25, "none"),
        ("smtp://127.0.0.2:1025", 1025, "none"),
        ("smtp://[::1]", 25, "none"),
        ("smtp://localhost,h.example", 25, "opportunistic"),
        ("lmtp://h.example", 24, "none"),
        ("lmtp://a:b@h.example", 24, "starttls"),
        ("lmtp+unix:///run/lmtp", 0, "none"),
        ("smtp+unix://a:b@/run/submission", 0, "none"),
    ],
)
def test_what_is_not_said_is_worked_out(url, port, tls):
    found = of(url)
    assert (found.endpoints[0].port, found.tls.value) == (port, tls)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("smtp+unix://a:b@/run/submission", True),
        ("smtp://a:b@localhost?tls=none", True),
        ("smtp://a:b@localhost", False),
        ("smtp://a:b@localhost,h.example?tls=none", False),
        ("smtp://a:b@h.example?tls=none", False),
        ("smtp://a:b@h.example?tls=none&allow_cleartext=yes", True),
        ("smtp+unix://a:b@/run/submission?allow_cleartext=no", False),
    ],
)
def test_a_password_goes_in_clear_only_where_nobody_listens(url, allowed):
    assert of(url).login.allow_cleartext is allowed


def test_several_hosts():
    found = of("smtp://a:b@one.example:587,two.example:2525,[::1]")
    assert found.endpoints == (Endpoint("one.example", 587), Endpoint("two.example", 2525), Endpoint("::1", 587))
    assert [str(one) for one in found.endpoints] == ["one.example:587", "two.example:2525", "[::1]:587"]


def test_a_name_beyond_ascii_becomes_a_labels():
    assert of("smtp://b%C3%BCcher.example").endpoints == of("smtp://BÜCHER。example").endpoints
    assert of("smtp://bücher.example").endpoints[0].host == "xn--bcher-kva.example"


def test_a_port_that_begins_with_tls_beside_one_that_does_not():
    assert problems("smtp://a.example:465,b.example:587") == [
        "tls: expected to be told, as port 465 begins with TLS, which the others do not"
    ]


def test_a_scheme_and_a_parameter_that_contradict_each_other():
    assert problems("smtps://h.example?tls=starttls") == ["url: tls: expected implicit with smtps://, got starttls"]


def test_the_environment_says_it_where_nothing_else_does():
    url = {"SMTP_URL": "smtps://alice:secret@h.example\n", "SMTP_HOST": "other.example"}
    assert of(environ=url) == of("smtps://alice:secret@h.example")
    parts = {"SMTP_HOST": "h.example", "SMTP_PORT": "2525", "SMTP_USER": "alice", "SMTP_PASSWORD": "secret"}
    assert of(environ=parts) == of("smtp://alice:secret@h.example:2525")
    assert of(environ={**parts, "SMTP_USERNAME": "bob"}, tls="none").login.username == "bob"


def test_the_password_of_the_environment_is_for_its_own_server():
    environ = {"SMTP_HOST": "h.example", "SMTP_USER": "alice", "SMTP_PASSWORD": "secret"}
    assert of(environ=environ, host="other.example").login is None
    assert of("smtp://other.example", environ=environ).login is None


def test_what_is_wrong_in_the_environment_is_said_by_its_name():
    assert problems(environ={"SMTP_HOST": "h", "SMTP_PORT": "x"}) == [
        "SMTP_PORT: expected a number from 1 to 65535, got 'x'"
    ]
    assert problems(environ={"SMTP_URL": "smtp://h?rate=x"})[0].startswith("SMTP_URL: rate: expected a rate")
    assert problems() == ["url: expected one, or a host, or SMTP_URL or SMTP_HOST in the environment, got none"]


def test_all_that_is_wrong_is_said_at_once():
    found = problems("smtp://alice:secret@h.example:99999?rate=x&connexions=3&auth=foo", idle=-1, timeouts=3)
    assert [problem.partition(" expected")[0].partition(";")[0] for problem in found] == [
        "url: port:",
        "url: unknown parameter 'connexions'",
        "url: rate:",
        "idle:",
        "timeouts:",
        "url: auth:",
    ]


def test_an_unknown_keyword_is_an_error_at_once():
    with pytest.raises(TypeError, match=r"unknown keyword 'usernme'; did you mean username\?"):
        of("smtp://h", usernme="alice")
    with pytest.raises(TypeError, match=r"unknown keyword 'user'; did you mean username\?"):
        of("smtp://h", user="alice")
    with pytest.raises(TypeError, match="unknown keyword 'zzz'; known are host, port, "):
        of("smtp://h", zzz=1)


def test_what_a_user_of_smtplib_types():
    for client in (Client, AsyncClient):
        with pytest.raises(TypeError, match=r"^expected one URL, .*; did you mean smtp://mail\.example\.com:587\?$"):
            client("mail.example.com", 587)
        with pytest.raises(TypeError, match=r"^expected one URL, and all else by keywords$"):
            client("mail.example.com", "alice", "hunter2")
        with pytest.raises(TypeError, match=r"^expected one URL, and all else by keywords$"):
            client("smtp://alice:hunter2@mail.example.com", 587)


def test_only_what_the_client_uses_can_be_done_without():
    assert of("smtp://h", without="Chunking,rset,X-EXPS").without == {"CHUNKING", "RSET", "X-EXPS"}
    assert problems("smtp://h?without=CHUNKNG") == [
        "url: without: expected capabilities that the client uses, got 'CHUNKNG'; did you mean CHUNKING?"
    ]
    assert problems("smtp://h", without=["dsn", "vrfy"])[0].startswith(
        "without: expected capabilities that the client uses, got 'VRFY'; known are PIPELINING, CHUNKING, "
    )


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_client_asks_for_each_capability_that_it_can_do_without(capability):
    packages = [Path(package.__file__).parent for package in (ninsho.client, ninsho.mail, ninsho.wire)]
    texts = [file.read_text() for package in packages for file in package.glob("*.py") if file.name != "words.py"]
    assert any(f'"{capability}"' in text for text in texts)


@pytest.mark.parametrize("text", ["alice:hunter2@h", "alice@h", "h?window=5", "h/inbox", "h#x"])
def test_a_mailbox_is_a_url_or_a_host(text):
    assert problems("smtp://h", pop=text) == [
        "pop: expected a host, or a URL such as pops://alice@pop.example.com?window=10"
    ]


def test_a_parameter_that_stands_twice():
    assert problems("smtp://h?timeout=1&timeout=2") == ["url: timeout: expected once, got more"]


def test_auth_names_a_mechanism_or_a_level():
    forced = of("smtp://a:b@h?auth=CRAM-MD5").login
    assert (forced.force, forced.lowest) == ("CRAM-MD5", None)
    least = of("smtp://a:b@h?auth=mutual").login
    assert (least.force, least.lowest) == (None, "mutual")
    both = of("smtp://a:b@h", auth="scram-sha-256", minimum="hidden").login
    assert (both.force, both.lowest) == ("scram-sha-256", "hidden")
    assert problems("smtp://a:b@h?auth=mutual&minimum=bound") == [
        "url: minimum: expected none beside auth=mutual, got 'bound'"
    ]


def test_a_mechanism_of_ones_own_can_be_asked_for():
    def client(credentials):
        yield credentials.username.encode()

    own = mechanism("OREORE", client=client)(lambda _: None)
    assert of("smtp://tim@h", auth="oreore", mechanisms=[own]).login.mechanisms == (own,)
    assert "auth" in problems("smtp://tim@h", auth="oreore")[0]
    assert problems("smtp://a:b@h", mechanisms=["OREORE"]) == [
        "mechanisms: expected a list of Mechanism, got ['OREORE']"
    ]


def test_a_login_that_cannot_be_one():
    assert problems("smtp://alice@h") == ["password: expected one, or a token, got none"]
    assert problems("smtp://:secret@h") == ["username: expected one beside the password, got none"]
    assert of("smtp://h?auth=external").login == Login(auth="external")
    assert of("smtp://h?token=t0ken").login == Login(token="t0ken")


def test_secrets_are_in_no_repr():
    found = of(
        "smtp://alice:hunter2@h?token=hunter2&proxy=socks5://u:hunter2@p&pop=pops://u:hunter2@p",
        certificate="cert.pem",
        key_password="hunter2",
    )
    assert found.login.password == found.trust.key_password == found.pop.password == "hunter2"
    assert "hunter2" not in repr(found)
    assert "hunter2" not in repr(of("smtp://alice@h", password=lambda: "hunter2"))


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "smtp://alice:hunter2",
        "smtp://alice:hunter2:x@",
        "smtp:/alice:hunter2@h",
        "http://alice:hunter2@h",
        "alice:hunter2@h",
        "smtp://alice:12/hunter2@h",
        "smtp://alice:12?hunter2@h",
        "smtp://alice:12?hunter2=@h",
        "smtp://alice:12?hunter=x&y=hunter2@h",
        "smtp://alice:12#hunter2@h",
        "smtp://alice:hunter2%@h",
        "smtp://alice:hunter2%FF@h",
        "smtp://alice:hunter2@h:x",
        "smtp://alice:hunter2 @h",
        "smtp://alice:hunter2@h,alice:hunter2@g",
        "smtp://alice:1@hunter2_!",
        "smtp://alice:1@h/hunter2",
        "smtp://alice@h?password=hunter2",
        "smtp://h?password_command='hunter2",
        "smtp://h?proxy=hunter2",
        "smtp://h?proxy=socks5://a:hunter2@",
        "smtp://h?pop=pop://a:hunter2@",
        "smtp://h?key_password=hunter2&key=k",
    ],
)
def test_no_error_quotes_a_password(url):
    for problem in problems(url):
        assert "hunter" not in problem.replace("'password'", "")


@pytest.mark.parametrize(
    "told",
    [
        {"host": "smtp://alice:hunter2@mail"},
        {"host": "alice:hunter2"},
        {"environ": {"SMTP_HOST": "alice:hunter2@mail"}},
        {"host": "h", "port": "587:hunter2@mail"},
        {"host": "h", "tls": "smtp://alice:hunter2"},
        {"host": "h", "ehlo_name": "alice:hunter2@mail"},
        {"host": "h", "without": "chunking,hunter2@mail"},
        {"host": "h", "username": "alice", "password": "x", "auth": "hunter2@mail"},
        {"host": "h", "timeouts": ["smtp://alice:hunter2"]},
    ],
)
def test_no_error_quotes_what_came_to_stand_in_the_wrong_keyword(told):
    for problem in problems(**told):
        assert "hunter" not in problem.lower()


@pytest.mark.parametrize(
    "url",
    [
        "smtp://alice:x?tls=hunter2@mail",
        "smtp://alice:x?tls=hunter&auth=2@mail",
        "smtp://alice:25?auth=hunter&minimum=2@mail",
        "smtp://alice@example.com:x?tls=hunter&auth=2@mail",
        "smtp://alice:a@b?rate=hunter&minimum=2@mail",
        "smtp://alice:25?without=hunter&minimum=2@mail",
    ],
)
def test_no_error_quotes_the_end_of_a_password_that_became_parameters(url):
    for problem in problems(url):
        assert "hunter" not in problem.lower()


def test_behind_a_proxy_localhost_is_another_machine():
    assert of("smtp://localhost?proxy=socks5://p").tls is TLSMode.OPPORTUNISTIC
    assert of("smtp://a:b@localhost?tls=none&proxy=socks5://p").login.allow_cleartext is False


def test_what_is_said_of_a_login_that_is_none():
    assert problems("smtp://h?minimum=mutual", require_binding=True) == [
        "url: minimum: expected a username or token beside it, got none",
        "require_binding: expected a username or token beside it, got none",
    ]
    assert problems("smtp://:secret@h", username="") == ["username: expected a text that is not empty, and has no NUL"]


def test_timeouts():
    assert of("smtp://h?timeout=10&deadline=5m").timeouts == Timeouts(
        connect=10, greeting=10, command=10, mail=10, recipient=10, data_start=10, data_block=10, data_end=10, total=300
    )
    assert of("smtp://h?timeout=3", timeouts=Timeouts(connect=1)).timeouts == Timeouts(connect=1)
    assert of("smtp://h", timeouts=Timeouts(connect=1), deadline=2).timeouts == Timeouts(connect=1, total=2)
    assert Timeouts().data_end == 600  # RFC 5321 §4.5.3.2.6


def test_limits_and_retry():
    url = "smtp://h?connections=5&messages_per_connection=100&lifetime=1h&idle=500ms&in_flight=2&attempts=3"
    found = of(url)
    assert found.limits == Limits(connections=5, messages_per_connection=100, lifetime=3600, idle=0.5, in_flight=2)
    assert found.retry == Retry(attempts=3)
    assert of(url, retry=Retry(first_delay=9), attempts=2).retry == Retry(attempts=2, first_delay=9)


@pytest.mark.parametrize(
    ("word", "rate"),
    [
        ("14/s", Rate(14, 1)),
        ("100/min", Rate(100, 60)),
        ("2000/hour", Rate(2000, 3600)),
        ("50000/day", Rate(50_000, 86_400)),
    ],
)
def test_rates(word, rate):
    assert of("smtp://h", rate=word).rate == of("smtp://h", rate=rate).rate == rate


@pytest.mark.parametrize("word", ["0/s", "-1/s", "1.5/s", "/s", "1/", "1/week", "٣/s", 14])
def test_what_is_no_rate(word):
    assert problems("smtp://h", rate=word) == [
        f"rate: expected a rate such as 14/s, 100/min or 2000/hour, got {word!r}"
    ]


@pytest.mark.parametrize("word", ["0", "-1", "x", "1w", "nan", "inf", True, float("nan"), float("inf"), ""])
def test_what_is_no_time(word):
    assert problems("smtp://h", timeout=word) == [
        f"timeout: expected a time above nothing, such as 30, 30s or 5m, got {word!r}"
    ]


@pytest.mark.parametrize("word", ["0", "-1", "x", "1.0", True, 0, 10**30, "9" * 5000])
def test_what_is_no_count(word):
    assert len(problems("smtp://h", connections=word)) == 1


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("On", True), ("1", True), ("no", False), ("FALSE", False)])
def test_switches(word, value):
    assert of("smtp://h", verify=word).trust.verify is value
    assert problems("smtp://h", verify="maybe") == ["verify: expected yes or no, got 'maybe'"]


def test_trust():
    found = of(
        f"smtp://h?ca=ca.pem&certificate=c.pem&key=k.pem&server_name=n.example&minimum_version=1.3&fingerprint={PIN}"
    )
    assert found.trust == Trust(
        ca="ca.pem", certificate="c.pem", key="k.pem", server_name="n.example", minimum_version="1.3", fingerprint=PIN
    )


def test_fingerprints_with_and_without_colons():
    colons = ":".join(["AB"] * 32)
    assert Trust(fingerprint=f"{colons},sha256:{PIN}").pins == (PIN, PIN)
    assert Trust().pins == ()
    for wrong in ("ab", PIN + "ab", PIN + ",", "", "md5:" + PIN):
        with pytest.raises(ConfigurationError, match="fingerprint: expected a SHA-256"):
            Trust(fingerprint=wrong)


def test_trust_that_contradicts_itself():
    assert problems("smtp://h?key=k.pem") == ["certificate: expected one beside the key, got none"]
    assert problems("smtp://h?minimum_version=1.1") == ["url: minimum_version: expected one of 1.2, 1.3, got '1.1'"]
    assert problems(f"smtp://h?tls=none&fingerprint={PIN}") == [
        "url: tls: expected TLS, as it is said whom to believe, got none"
    ]


def test_a_context_holds_what_is_said_of_it():
    expected = (
        "context: expected none beside ca, certificate, key_password, minimum_version and verify, which it holds itself"
    )
    for told in ({"minimum_version": "1.3"}, {"minimum_version": "1.2"}, {"key_password": "x"}, {"verify": False}):
        assert problems("smtp://h", context=create_default_context(), **told) == [expected]


def test_a_key_s_password_needs_a_key():
    assert problems("smtps://h", key_password="hunter2") == [
        "certificate: expected one beside the key's password, got none"
    ]
    assert of("smtps://h", certificate="both.pem", key_password="hunter2").trust.key_password == "hunter2"


@pytest.mark.parametrize("told", [{"ca": "ca.pem"}, {"fingerprint": PIN}, {"context": create_default_context()}])
def test_whom_to_believe_is_worth_nothing_where_tls_can_be_stripped(told):
    expected = "tls: expected starttls or implicit, as it is said whom to believe, got opportunistic"
    assert problems("smtp://h", tls="opportunistic", **told) == [expected]
    # It may be said of the mailbox.
    assert of("smtp://h", tls="opportunistic", pop="pops://bob:x@pop.example", **told).tls is TLSMode.OPPORTUNISTIC
    assert problems("smtp://h", tls="opportunistic", pop="pop://bob:x@pop.example?tls=none", **told) == [expected]


def test_a_login_waits_for_tls_that_cannot_be_stripped():
    expected = (
        "expected starttls or implicit beside a login, got opportunistic: who takes STARTTLS out of the server's "
        "offer would read it; allow_cleartext=yes lets that be"
    )
    assert problems("smtp://a:b@h?tls=opportunistic") == [f"url: tls: {expected}"]
    assert of("smtp://a:b@h?tls=opportunistic&allow_cleartext=yes").login.allow_cleartext
    assert problems("smtp://h", pop="pop://a:b@p?tls=opportunistic") == [f"pop: tls: {expected}"]
    assert of("smtp://h", pop="pop://a:b@p?tls=opportunistic", allow_cleartext=True).pop.allow_cleartext


def test_a_mailbox_to_log_in_to_first():
    login = "smtp://alice:secret@h"
    assert of(f"{login}?pop=pop.example").pop == PopSettings(host="pop.example", username="alice", password="secret")
    assert of(login, pop="pops://bob:other@pop.example?window=600s").pop.window == 10
    assert of(login, without=[]).without == frozenset()
    assert of(login, pop="pops://:other@pop.example").pop == PopSettings(
        host="pop.example", username="alice", password="other"
    )
    assert of(f"{login}?pop=pop://bob:other@pop.example:1110?tls=none%26window=5").pop == PopSettings(
        host="pop.example", port=1110, tls=TLSMode.NONE, username="bob", password="other", window=5
    )
    assert of("smtp://h", pop=PopSettings(host="p")).pop == PopSettings(host="p")
    assert of("smtp://h?pop=pop://p").pop == PopSettings(host="p", port=110, tls=TLSMode.STARTTLS)


def test_source_address():
    assert of("smtp://h?source_address=192.0.2.1").source_address == ("192.0.2.1", 0)
    assert of("smtp://h?source_address=2001:db8::1").source_address == ("2001:db8::1", 0)
    assert of("smtp://h?source_address=192.0.2.1:2000").source_address == ("192.0.2.1", 2000)
    assert problems("smtp://h", source_address=25) == ["source_address: expected an address of this machine, got 25"]


def test_the_name_for_ehlo():
    assert of("smtp://h?ehlo_name=me.example").ehlo_name == "me.example"
    assert problems("smtp://h", ehlo_name="me\r\nMAIL FROM:<>") == [
        "ehlo_name: expected a text in one line, got 'me\\r\\nMAIL FROM:<>'"
    ]
    assert problems("smtp://h", ehlo_name="my_host")[0].startswith("ehlo_name: expected a domain name")


def test_a_proxy_and_a_socket():
    assert of("smtp://h?proxy=socks5h://u:p@proxy.example").proxy == "socks5h://u:p@proxy.example"
    assert problems("smtp+unix:///run/s?proxy=http://p") == ["url: proxy: expected none for a unix socket"]


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Endpoint("", 25), "host: expected one"),
        (lambda: Endpoint("h", 65_536), "port: expected a number"),
        (lambda: Timeouts(connect=0), "connect: expected a number above 0, got 0"),
        (lambda: Rate(0, 1), "count: expected a number above 0, got 0"),
        (lambda: Retry(jitter=-1), "jitter: expected a number from 0, got -1"),
        (lambda: Limits(connections=0, idle=-1), "idle: expected a number above 0, got -1"),
        (lambda: Settings(endpoints=()), "host: expected one at least"),
        (lambda: Settings(endpoints=(Endpoint("h", 25),), ehlo_name="a b"), "ehlo_name: expected a domain name"),
    ],
)
def test_the_parts_check_themselves(make, problem):
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert any(found.startswith(problem) for found in caught.value.problems)


def test_a_password_from_elsewhere():
    command = of("smtp://alice@h?password_command=pass%20show%20'mail/my%20alice'").login.password
    assert command.command == ("pass", "show", "mail/my alice")
    keyring = of("smtp://alice@h.example?password_from=keyring").login.password
    assert (keyring.service, keyring.username) == ("h.example", "alice")
    assert of("smtp://h?token_command=oama").login.token.command == ("oama",)
    assert problems("smtp://alice@h?password_from=keyring&password_command=x") == [
        "url: password_command: expected one of password_from and password_command, got both"
    ]
    assert problems("smtp+unix://alice@/run/s?password_from=keyring") == [
        "url: password_from: expected a host that it knows the password of"
    ]
    assert problems("smtp://h?password_from=keyring")[0].startswith("username: expected one")
    assert problems("smtp://alice@h", password_command=" ") == [
        "password_command: expected a program and its arguments, got none",
    ]


def test_netrc_knows_the_user_name_as_well(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine h.example login alice password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    login = of("smtp://h.example?password_from=netrc").login
    assert (login.username, login.password()) == ("alice", "secret")
