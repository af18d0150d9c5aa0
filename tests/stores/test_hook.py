"""A user base of the site's own, in a Python file."""

import asyncio
import logging
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from made_up import run

import ninsho
from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores import hooked
from ninsho.stores.accounts import NOBODY, Account, Checked, PasswordVerifier, Request, SecretStore, Store
from ninsho.stores.hook import HookStore, store

REQUEST = Request("PLAIN", ("service=smtp", "rip=192.0.2.1"))


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "accounts.py"
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def journal(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.WARNING, logger="ninsho.stores")
    return lambda: [record.getMessage() for record in caplog.records]


@asynccontextmanager
async def opened(path: Path, name: str | None = None, *, threads: int = 8) -> AsyncIterator[Store]:
    async with HookStore(path, name, threads).open() as opened_store:
        yield opened_store


def verdicts(path: Path, *passwords: str, name: str | None = None) -> list[Checked]:
    async def ask() -> list[Checked]:
        async with opened(path, name) as verifier:
            assert isinstance(verifier, PasswordVerifier)
            checked = []
            for password in passwords:
                answer = verifier.verify("Alice", password, REQUEST)
                checked.append(answer if isinstance(answer, Checked) else await answer)
            return checked

    return run(ask())


def refusal(path: Path, name: str | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        verdicts(path, name=name)
    return str(caught.value)


def trouble(path: Path, password: str = "hunter2") -> str:
    with pytest.raises(StoreUnavailable) as caught:
        verdicts(path, password)
    assert caught.value.__context__ is None
    return str(caught.value)


FUNCTION = """
    from ninsho import store

    @store
    def accounts(username, password, request):
        assert (username, request.service, request.remote_ip) == ("Alice", "smtp", "192.0.2.1")
        return {"right": True, "wrong": False}.get(password)
"""


@pytest.mark.parametrize("text", [FUNCTION, FUNCTION.replace("def", "async def")])
def test_a_function_says_whether_a_password_is_right(file: Callable[[str], Path], text: str) -> None:
    assert verdicts(file(text), "right", "wrong", "other") == [
        Checked(Account("Alice"), matches=True),
        Checked(Account("Alice"), matches=False),
        NOBODY,
    ]


def test_the_decorated_function_is_still_itself() -> None:
    def accounts(username: str, password: str, request: Request) -> bool:
        return username == password

    assert store(accounts) is accounts
    assert ninsho.store is store


def test_a_plain_function_around_a_coroutine_function_is_awaited(file: Callable[[str], Path]) -> None:
    path = file("""
        from functools import wraps
        from ninsho import store

        def logged(function):
            @wraps(function)
            def wrapper(*arguments):
                return function(*arguments)
            return wrapper

        @store
        @logged
        async def accounts(username, password, request):
            return password == "right"
    """)
    assert [one.matches for one in verdicts(path, "right", "wrong")] == [True, False]


def test_an_object_that_can_be_awaited_when_called_is(file: Callable[[str], Path]) -> None:
    path = file("""
        class Accounts:
            async def __call__(self, username, password, request):
                return password == "right"

        accounts = Accounts()
    """)
    assert [one.matches for one in verdicts(path, "right", "wrong", name="accounts")] == [True, False]


def test_plain_functions_run_side_by_side_and_leave_the_loop_alone(file: Callable[[str], Path]) -> None:
    path = file("""
        import threading
        from ninsho import store

        both = threading.Barrier(2, timeout=20)

        @store
        def accounts(username, password, request):
            both.wait()
            return threading.current_thread() is not threading.main_thread()
    """)

    async def ask() -> list[Checked]:
        async with opened(path, threads=2) as verifier:
            return await asyncio.gather(*(verifier.verify("alice", "x", REQUEST) for _ in range(2)))

    assert [one.matches for one in run(ask())] == [True, True]


def test_where_too_many_wait_for_a_thread_the_store_is_unavailable(
    file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooked, "QUEUE", 1)
    path = file("""
        import threading
        from ninsho import store

        gate = threading.Event()

        @store
        def accounts(username, password, request):
            gate.wait(20)
            return True
    """)

    async def ask() -> list[object]:
        async with opened(path, threads=1) as verifier:
            waiting = [asyncio.ensure_future(verifier.verify("alice", "x", REQUEST)) for _ in range(3)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            sys.modules["ninsho_site.accounts"].gate.set()
            return await asyncio.gather(*waiting, return_exceptions=True)

    done = run(ask())
    assert [type(one) for one in done] == [Checked, Checked, StoreUnavailable]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_what_a_function_raises_is_a_temporary_failure_told_by_its_place_alone(
    file: Callable[[str], Path], journal: Callable[[], list[str]], kind: str
) -> None:
    path = file(f"""
        from ninsho import store

        def connect(password):
            raise KeyError(password)

        @store
        {kind} accounts(username, password, request):
            return connect(password)
    """)
    told = f"{path}:5: raised KeyError"
    assert trouble(path) == told
    assert journal() == [told]


def test_a_function_may_say_itself_that_it_cannot_tell(file: Callable[[str], Path]) -> None:
    path = file("""
        from ninsho import store
        from ninsho.errors import StoreUnavailable

        @store
        def accounts(username, password, request):
            raise StoreUnavailable("the directory is being moved")
    """)
    assert trouble(path) == "the directory is being moved"


@pytest.mark.parametrize(
    ("answer", "kind"), [("1", "int"), ("''", "str"), ("[]", "list"), ("password", "str"), ("object", "type")]
)
def test_what_is_neither_true_nor_false_nor_none_is_a_temporary_failure(
    file: Callable[[str], Path], journal: Callable[[], list[str]], answer: str, kind: str
) -> None:
    path = file(f"""
        from ninsho import store

        @store
        def accounts(username, password, request):
            return {answer}
    """)
    told = f"{path}: expected True, False or None from the user base, got {kind}"
    assert trouble(path) == told
    assert journal() == [told]


def test_a_class_is_called_for_its_object_which_is_entered_and_left(file: Callable[[str], Path]) -> None:
    path = file("""
        from ninsho import store
        from ninsho.stores.accounts import Account

        log = []

        @store
        class Accounts:
            async def __aenter__(self):
                log.append("entered")
                return self

            async def __aexit__(self, *_):
                log.append("left")

            def find(self, username):
                return Account(username, ("{PLAIN}x",)) if username == "alice" else None
    """)

    async def ask() -> None:
        async with opened(path) as found:
            assert isinstance(found, SecretStore)
            assert found.find("alice") == Account("alice", ("{PLAIN}x",))
            assert found.find("bob") is None
            assert sys.modules["ninsho_site.accounts"].log == ["entered"]
        assert sys.modules["ninsho_site.accounts"].log == ["entered", "left"]

    run(ask())


def test_an_object_may_look_accounts_up_or_verify_and_may_be_awaited(file: Callable[[str], Path]) -> None:
    path = file("""
        from ninsho.stores.accounts import Account, Checked

        class Looking:
            async def find(self, username):
                return Account(username)

        class Verifying:
            def verify(self, username, password, request):
                return Checked(Account(username), password == "right")

        class VerifyingLater:
            async def verify(self, username, password, request):
                return Checked(Account(username), password == "right")

        looking, verifying, later = Looking(), Verifying(), VerifyingLater()
    """)

    async def look() -> Account | None:
        async with opened(path, "looking") as found:
            return await found.find("alice")

    assert run(look()) == Account("alice")
    for name in ("verifying", "later"):
        assert [one.matches for one in verdicts(path, "right", "wrong", name=name)] == [True, False]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("def find(self, username): raise ValueError(username)", ":6: raised ValueError"),
        ("async def find(self, username): raise ValueError(username)", ":6: raised ValueError"),
        ("def find(self, username): return username", ": expected an Account or None from the user base, got str"),
        ("async def find(self, username): return 0", ": expected an Account or None from the user base, got int"),
        ("def verify(self, *_): raise ValueError", ":6: raised ValueError"),
        ("async def verify(self, *_): return True", ": expected Checked from the user base, got bool"),
        ("def verify(self): return True", ": raised TypeError"),
    ],
)
def test_mistakes_in_objects_are_temporary_failures(file: Callable[[str], Path], body: str, told: str) -> None:
    path = file(f"""
        from ninsho import store

        @store
        class Accounts:
            {body}
    """)

    async def ask() -> None:
        async with opened(path) as found:
            answer = found.find("alice") if "find" in body else found.verify("alice", "hunter2", REQUEST)
            await answer

    with pytest.raises(StoreUnavailable) as caught:
        run(ask())
    assert str(caught.value) == f"{path}{told}"


def test_an_object_that_cannot_be_entered_makes_the_store_unavailable(file: Callable[[str], Path]) -> None:
    path = file("""
        from ninsho import store

        @store
        class Accounts:
            async def __aenter__(self):
                raise ConnectionRefusedError("postgresql://ninsho:hunter2@db")

            async def __aexit__(self, *_):
                raise AssertionError

            def find(self, username):
                raise AssertionError
    """)
    assert trouble(path) == f"{path}:7: raised ConnectionRefusedError"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": expected one user base marked with @store, found 0"),
        ("from ninsho import store\n", ": expected one user base marked with @store, found 0"),
        (
            "from ninsho import store\n@store\ndef a(): ...\n@store\ndef b(): ...\n",
            ": expected one user base marked with @store, found 2",
        ),
        ("from ninsho import store\nx = store(lambda: 0)\ny = x\n", None),
        (
            "from ninsho import store\n@store\nclass Accounts: ...\n",
            ": expected a function, or an object with find or verify, got Accounts",
        ),
    ],
)
def test_a_file_has_one_user_base(file: Callable[[str], Path], text: str, told: str | None) -> None:
    path = file(text)
    if told is None:
        assert verdicts(path) == []
    else:
        assert refusal(path) == f"{path}{told}"


def test_a_user_base_that_is_named_needs_no_mark_and_must_be_there(file: Callable[[str], Path]) -> None:
    path = file("def accounts(username, password, request): return True\nnothing = 1\n")
    assert verdicts(path, "x", name="accounts") == [Checked(Account("Alice"), matches=True)]
    assert refusal(path, "users") == f"{path}: expected a user base called 'users', found none"
    assert refusal(path, "nothing") == f"{path}: expected a function, or an object with find or verify, got int"


def test_there_is_at_least_one_thread(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="threads: expected at least 1, got 0"):
        HookStore(tmp_path, threads=0)


def test_the_decorator_loads_nothing_heavy() -> None:
    program = (
        "from ninsho import store; import sys; print(*sorted({'asyncio', 'pydantic', 'logging'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
