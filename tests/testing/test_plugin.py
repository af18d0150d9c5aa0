"""The plugin for pytest: fixtures, the marker, and what a start of pytest costs."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

pytest_plugins = "pytester"

# Where the package is installed from before it had the plugin, pytest is told of it.
KNOWN = any(one.name == "ninsho" for one in entry_points(group="pytest11"))
PLUGIN = [] if KNOWN else ["-p", "ninsho.testing.plugin"]


def run(pytester, text, *arguments):
    pytester.makepyfile(text)
    return pytester.runpytest_subprocess(
        *PLUGIN, "-p", "no:cacheprovider", "-W", "error", "--strict-markers", *arguments
    )


def test_a_server_for_each_test(pytester):
    result = run(
        pytester,
        """
        import smtplib
        import pytest

        def send(server):
            with smtplib.SMTP("127.0.0.1", server.port) as client:
                client.sendmail("a@example.org", ["b@example.org"], "hello\\n")

        @pytest.mark.parametrize("number", [1, 2])
        def test_one_message(smtp_server, number):
            send(smtp_server)
            assert [one.recipients for one in smtp_server.messages] == [("b@example.org",)]

        @pytest.mark.smtp_server(users={"alice": "secret"}, mechanisms=["SCRAM-SHA-256"])
        class TestMarked:
            @pytest.mark.smtp_server(mechanisms=["PLAIN"], require_auth=True)
            def test_the_closest_marker_wins(self, smtp_server):
                with smtplib.SMTP("127.0.0.1", smtp_server.port) as client:
                    client.login("alice", "secret")
                    assert client.esmtp_features["auth"].split() == ["PLAIN"]
        """,
    )
    result.assert_outcomes(passed=3)


def test_a_server_with_tls(pytester):
    result = run(
        pytester,
        """
        import smtplib, ssl
        import pytest

        def test_starttls(smtp_server_tls):
            with smtplib.SMTP("localhost", smtp_server_tls.port) as client:
                client.starttls(context=smtp_server_tls.certificate.trusting())
                client.sendmail("a@example.org", ["b@example.org"], "hello\\n")
            assert smtp_server_tls.messages[0].tls

        @pytest.mark.smtp_server(tls="implicit")
        @pytest.mark.parametrize("name", ["smtp_server", "smtp_server_tls"])
        def test_implicit(name, request):
            server = request.getfixturevalue(name)
            context = ssl.create_default_context(cafile=server.ca_file)
            with smtplib.SMTP_SSL("localhost", server.port, context=context) as client:
                assert client.noop()[0] == 250
        """,
    )
    result.assert_outcomes(passed=3)


def test_a_client_that_sends_nothing(pytester):
    result = run(
        pytester,
        """
        def test_sent(sent_mail):
            sent_mail.send(b"From: a@example.org\\nTo: b@example.org\\n\\nhello\\n")
            assert sent_mail.messages[0].sender == "a@example.org"
        """,
    )
    result.assert_outcomes(passed=1)


def test_an_option_that_nobody_knows_is_an_error(pytester):
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.smtp_server(user="alice")
        def test_sent(smtp_server):
            pass
        """,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["smtp_server: unknown option 'user'; did you mean users?"])
    assert "Traceback" not in result.stdout.str()
    assert len(result.outlines) < 20


def test_an_option_that_cannot_be_is_an_error(pytester):
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.smtp_server(tls="yes")
        def test_sent(smtp_server_tls):
            pass

        @pytest.mark.smtp_server({"alice": "secret"})
        def test_sent_too(smtp_server):
            pass
        """,
    )
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["smtp_server: tls: expected none, starttls or implicit, got 'yes'"])
    result.stdout.fnmatch_lines(["smtp_server: expected options by name, as users=…, got {'alice': 'secret'}"])


def test_the_marker_and_the_fixtures_are_shown(pytester):
    shown = run(pytester, "", "--markers", "--fixtures").stdout.str() + run(pytester, "", "--fixtures").stdout.str()
    assert "smtp_server(**options): what smtp_server and smtp_server_tls are like" in shown
    assert "A mail server that runs during the test" in shown


@pytest.mark.parametrize(
    "heavy", ["asyncio", "ssl", "socket", "email.message", "ninsho.sasl.registry", "ninsho.client"]
)
def test_a_start_of_pytest_loads_nothing_heavy(heavy):
    code = f"import pytest, sys; before = set(sys.modules); import ninsho.testing.plugin; print({heavy!r} in set(sys.modules) - before)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
