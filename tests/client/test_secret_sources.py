"""Passwords from a keyring, a netrc file and a command; and that no error tells what they found."""

import sys
import traceback

import keyring
import pytest
from keyring.backend import KeyringBackend

from ninsho.client.secret_sources import from_command, from_keyring, from_netrc, revealed
from ninsho.client.tokens import TokenUnavailable
from ninsho.errors import ConfigurationError

HIDDEN = "hunter2"


class OurKeyring(KeyringBackend):
    """A keyring of the tests' own in place of the system's."""

    priority = 1

    def get_password(self, service, username):
        if service == "locked":
            raise keyring.errors.KeyringLocked(HIDDEN)
        return HIDDEN if (service, username) == ("h.example", "alice") else None

    def set_password(self, service, username, password):
        raise NotImplementedError


def problem(secret):
    with pytest.raises(ConfigurationError) as caught:
        revealed(secret)
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))
    # Reporters of errors show what a "from None" hides.
    assert HIDDEN not in repr(caught.value.__context__)
    return str(caught.value)


def program(*lines):
    """A command that runs these lines of Python."""
    text = "; ".join(lines).replace('"', '\\"')
    return f'{sys.executable} -c "{text}"'


class TestNetrc:
    @pytest.fixture
    def netrc(self, tmp_path):
        def write(text):
            (tmp_path / "netrc").write_text(text)
            return tmp_path / "netrc"

        return write

    def test_the_host_s_password(self, netrc):
        source = from_netrc("h.example", netrc(f"machine h.example login alice password {HIDDEN}"))
        assert revealed(source) == HIDDEN
        assert source.login() == "alice"
        assert HIDDEN not in repr(source)
        assert "h.example" in repr(source)

    def test_the_default_s_password(self, netrc):
        assert revealed(from_netrc("h.example", netrc(f"default login alice password {HIDDEN}"))) == HIDDEN

    def test_no_entry(self, netrc):
        assert "expected a password of h.example, got none" in problem(
            from_netrc("h.example", netrc(f"machine other login alice password {HIDDEN}"))
        )

    def test_the_entry_of_another(self, netrc):
        path = netrc(f"machine h.example login bob password {HIDDEN}")
        assert "expected the login alice of h.example" in problem(from_netrc("h.example", path, username="alice"))

    def test_a_file_that_is_broken(self, netrc):
        assert "in line 1" in problem(from_netrc("h.example", netrc(f"machine h.example {HIDDEN} x")))
        assert "cannot be read" in problem(from_netrc("h.example", netrc("").parent))

    def test_our_own_file_must_be_ours_alone(self, netrc, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        path = netrc(f"machine h.example login alice password {HIDDEN}").rename(tmp_path / ".netrc")
        path.chmod(0o644)
        assert problem(from_netrc("h.example")) == "~/.netrc: others can read it: chmod 600 ~/.netrc"
        path.chmod(0o600)
        assert revealed(from_netrc("h.example")) == HIDDEN


class TestCommand:
    def test_the_first_line(self):
        source = from_command(program(f"print('{HIDDEN}')", "print('more')"))
        assert revealed(source) == HIDDEN
        assert HIDDEN not in repr(from_command("pass show mail"))
        # Some have the secret in it, such as: curl -H "Authorization: …"
        assert HIDDEN not in repr(from_command(f"echo {HIDDEN}"))

    def test_no_shell(self, tmp_path):
        assert revealed(from_command(f"echo $HOME; touch {tmp_path}/x")) == f"$HOME; touch {tmp_path}/x"
        assert not (tmp_path / "x").exists()

    def test_white_space_at_the_ends_belongs_to_it(self):
        assert revealed(from_command(program("import sys", "sys.stdout.write(' a b \\r\\n')"))) == " a b "

    def test_a_status_that_is_no_success(self):
        assert "expected success, got exit status 3" in problem(
            from_command(program(f"print('{HIDDEN}')", "raise SystemExit(3)"))
        )

    def test_nothing_printed(self):
        assert "expected a first line in UTF-8, got none" in problem(from_command("true"))
        assert "expected a first line in UTF-8, got none" in problem(
            from_command(program("import sys", f"sys.stdout.buffer.write(b'{HIDDEN}' + bytes([255]))"))
        )

    def test_no_such_program(self):
        assert "/no/such/program: cannot be run: No such file" in problem(from_command(f"/no/such/program {HIDDEN}"))

    def test_one_that_does_not_end(self, monkeypatch):
        monkeypatch.setattr("ninsho.client.secret_sources.COMMAND_SECONDS", 0.2)
        slow = program("import sys, threading", f"print('{HIDDEN}', flush=True)", "threading.Event().wait()")
        assert "expected an end within 0.2 s" in problem(from_command(slow))

    def test_it_reads_nothing_of_ours(self):
        assert revealed(from_command(program("import sys", "print(repr(sys.stdin.read()))"))) == "''"

    @pytest.mark.parametrize("command", ["", " ", "pass 'show"])
    def test_what_is_no_command(self, command):
        with pytest.raises(ConfigurationError, match="password_command: "):
            from_command(command)


class TestKeyring:
    @pytest.fixture(autouse=True)
    def _ours(self):
        before = keyring.get_keyring()
        keyring.set_keyring(OurKeyring())
        yield
        keyring.set_keyring(before)

    def test_the_password(self):
        source = from_keyring("h.example", "alice")
        assert revealed(source) == HIDDEN
        assert repr(source) == "FromKeyring(service='h.example', username='alice')"

    def test_none(self):
        assert problem(from_keyring("h.example", "bob")) == "keyring: expected a password of bob at h.example, got none"

    def test_one_that_stays_locked(self):
        assert problem(from_keyring("locked", "alice")) == "keyring: cannot be read: KeyringLocked"

    def test_the_package_is_missing(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "keyring", None)
        assert problem(from_keyring("h", "u")) == "password: expected the package keyring: pip install ninsho[keyring]"


def test_a_secret_as_it_is_and_one_that_is_got():
    assert revealed("secret") == "secret"
    assert revealed(lambda: "secret") == "secret"


def test_a_function_that_returns_something_else():
    assert problem(HIDDEN.encode) == "password: expected a text from its function, got bytes"


def test_a_function_that_raises():
    passwords = {}

    def password():
        return passwords[HIDDEN]

    line = password.__code__.co_firstlineno + 1
    told = problem(password)
    assert told == f"password: expected a text from its function, which raised KeyError in line {line} of {__file__}"


def test_a_function_that_raises_in_what_is_not_python():
    assert problem({HIDDEN: ""}.popitem().__getitem__) == (
        "password: expected a text from its function, which raised TypeError"
    )


def test_what_a_source_says_itself_stands():
    def token():
        raise TokenUnavailable("no token (503)", temporary=True)

    with pytest.raises(TokenUnavailable, match="no token"):
        revealed(token)
    with pytest.raises(ConfigurationError, match=r"^token: expected a text from its function, got NoneType$"):
        revealed(lambda: None, "token")
