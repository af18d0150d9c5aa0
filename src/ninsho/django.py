"""Django's mail through our client: ``ninsho.django.EmailBackend``, in ``MAILERS`` or as ``EMAIL_BACKEND``."""

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any, Final

from django.conf import settings as site
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.base import BaseEmailBackend

from ninsho.client.job import Job
from ninsho.client.keywords import WORDS
from ninsho.client.office import delivered
from ninsho.client.receipt import Receipt
from ninsho.client.settings import Settings
from ninsho.client.sync import Client
from ninsho.errors import ClientError, ConfigurationError, NinshoError
from ninsho.mail.message import Submission, Unsendable

# What Django calls otherwise than we do, and its settings of before 6.1.
_NAMES: Final = {"ssl_keyfile": "key", "ssl_certfile": "certificate"}
_SETTINGS: Final = {
    "host": "EMAIL_HOST",
    "port": "EMAIL_PORT",
    "username": "EMAIL_HOST_USER",
    "password": "EMAIL_HOST_PASSWORD",
    "use_tls": "EMAIL_USE_TLS",
    "use_ssl": "EMAIL_USE_SSL",
    "timeout": "EMAIL_TIMEOUT",
    "ssl_keyfile": "EMAIL_SSL_KEYFILE",
    "ssl_certfile": "EMAIL_SSL_CERTFILE",
}
_FLAGS: Final = ("use_tls", "use_ssl")
_SECRETS: Final = ("password", "password_from", "password_command", "token", "token_command", "auth")
# What Django says of a backend to itself.
_ITS_OWN: Final = ("alias", "_ignore_unknown_kwargs")


class EmailBackend(BaseEmailBackend):  # type: ignore[misc]  # Django tells no types
    """Sends Django's messages, all of one call on one connection, or on as many as ``connections`` says.

    The options are Django's own, ``url`` (``smtp://alice:secret@mail.example.com:587``), and each keyword of
    ``Client``; without ``MAILERS`` it reads ``EMAIL_URL``, else ``EMAIL_HOST`` and so on. Where neither ``use_tls`` nor
    ``use_ssl`` is said, TLS is as for ``Client``: required where there is a password. Each message gets a ``receipt``.

    Raises ``ImproperlyConfigured`` with all that is wrong.
    """

    def __init__(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        fail_silently: bool = False,
        **options: Any,  # noqa: ANN401 - of many kinds
    ) -> None:
        its_own = {name: options.pop(name) for name in _ITS_OWN if name in options}
        super().__init__(**its_own)
        self.fail_silently = fail_silently
        told = {"host": host, "port": port, **options}
        ignored = set(its_own.get("_ignore_unknown_kwargs") or ()) - WORDS.keys() - _SETTINGS.keys()
        told = {name: value for name, value in told.items() if value is not None and name not in ignored}
        self._client = Client(_settings(told, of_site=its_own.get("alias") is None))
        self._lock = Lock()
        self._kept = False

    def open(self) -> bool | None:
        """Connect, and stay so until ``close``; return whether that was new, None where it failed silently."""
        with self._lock:
            if self._kept:
                return False
            try:
                self._client.connect()
            except NinshoError:
                # Also where the password cannot be had, which Django would tell by a login that fails.
                if self.fail_silently:
                    return None
                raise
            self._kept = True
            return True

    def close(self) -> None:
        """Close the connections that nobody uses just now."""
        self._kept = False
        self._client.close()

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """Send all, and return how many were taken for one recipient at least; then raise the first failure.

        That may be one of Django's own, such as ``BadHeaderError``, where a message could not be made.
        """
        letters = _Letters([message for message in email_messages or () if message.recipients()])
        if not letters:
            return 0
        try:
            self._deliver(letters)
        finally:
            if not self._kept:
                self._client.close()
        if letters.failures and not self.fail_silently:
            raise letters.failures[min(letters.failures)]
        return len(letters) - len(letters.failures)

    def _deliver(self, letters: "_Letters") -> None:
        """Send all that can be; let each have its receipt."""
        # Several connections have threads, and in these Django would translate to another language.
        several = self._client.settings.limits.connections > 1
        try:
            for number, receipt in enumerate(self._client.send_many(list(letters) if several else letters)):
                letters.take(letters.made[number], receipt)
        except NinshoError as error:
            letters.give_up(error)


class _Letters(Sequence[Submission]):
    """Django's messages, each made when its turn comes, and but once.

    ``made`` are the places of those that could be, ``failures`` say by the place why a message was not sent.
    """

    def __init__(self, messages: list[Any]) -> None:
        self._messages = messages
        self._open = set(range(len(messages)))
        self.made: list[int] = []
        self.failures: dict[int, Exception] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - what a sequence has; nobody asks for it
        return self._messages[place]

    def __iter__(self) -> Iterator[Submission]:
        for place, message in enumerate(self._messages):
            try:
                submission = Submission(message.message(), *_envelope(message))
            except Exception as error:  # noqa: BLE001 - one that cannot be made is no reason to stop the others
                self._fail(place, error)
                continue
            self.made.append(place)
            yield submission

    def take(self, place: int, receipt: Receipt) -> None:
        """Take the receipt of a message."""
        self._settle(place, receipt)
        try:
            delivered(receipt)
        except ClientError as error:
            self.failures[place] = error

    def give_up(self, error: NinshoError) -> None:
        """Let *error* be the fate of all that have no receipt."""
        for place in sorted(self._open):
            self._fail(place, error)

    def _fail(self, place: int, error: Exception) -> None:
        job = Job(Submission(b"", *_envelope(self._messages[place])))
        job.fail(error if isinstance(error, ClientError) else _unsendable(error))
        self._settle(place, job.receipt())
        self.failures[place] = error

    def _settle(self, place: int, receipt: Receipt) -> None:
        self._messages[place].receipt = receipt
        self._open.remove(place)


def _envelope(message: Any) -> tuple[str, list[str]]:  # noqa: ANN401 - Django's EmailMessage
    # str(): Django allows texts that are translated when they are needed.
    return str(message.from_email), [str(one) for one in message.recipients()]


def _unsendable(error: Exception) -> Unsendable:
    unsendable = Unsendable(f"the message cannot be sent: {type(error).__name__}")
    unsendable.__cause__ = error
    return unsendable


def _settings(told: dict[str, Any], *, of_site: bool) -> Settings:
    if of_site:
        told = {**_of_site(with_server=told.keys().isdisjoint(("url", "host"))), **told}
    url = told.pop("url", None)
    try:
        return Settings.of(url, **_keywords(told, alone=url is None))
    except TypeError as error:
        raise ImproperlyConfigured(f"ninsho.django.EmailBackend: {error}") from None
    except ConfigurationError as error:
        problems = "; ".join(error.problems)
        raise ImproperlyConfigured(f"ninsho.django.EmailBackend: {problems}") from error


def _of_site(*, with_server: bool) -> dict[str, Any]:
    """What the site's settings say, but for flags that nobody has set: False is Django's word for "not told"."""
    if with_server and (url := getattr(site, "EMAIL_URL", None)):
        return {"url": url}
    names = {key: name for key, name in _SETTINGS.items() if key not in _FLAGS or site.is_overridden(name)}
    return {key: getattr(site, name) for key, name in names.items()}


def _keywords(told: dict[str, Any], *, alone: bool) -> dict[str, Any]:
    """Return what was told as keywords of ours; *alone*: beside no URL."""
    tls = _tls(told.pop("use_tls", None), told.pop("use_ssl", None))
    keywords = {_NAMES.get(name, name): value for name, value in told.items()}
    for name in ("username", "password"):
        # Django's word for "none".
        if keywords.get(name) == "":
            del keywords[name]
    if alone and keywords.keys().isdisjoint(_SECRETS):
        # As Django has it: who has no password does not log in.
        keywords.pop("username", None)
    return keywords if tls is None else {"tls": tls, **keywords}


def _tls(use_tls: object, use_ssl: object) -> str | None:
    if use_tls and use_ssl:
        raise ConfigurationError(["use_tls: expected none beside use_ssl, which is TLS from the start, got both"])
    if use_ssl:
        return "implicit"
    if use_tls:
        return "starttls"
    return None if use_tls is None else "none"
