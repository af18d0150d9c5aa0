"""``send``: a message out of words, and on its way, in one call."""

from typing import TYPE_CHECKING

from ninsho.client.receipt import Receipt
from ninsho.client.sync import Client
from ninsho.client.transcript import Watch
from ninsho.mail.composing.compose import compose
from ninsho.mail.composing.large import composed
from ninsho.mail.composing.render import render
from ninsho.mail.composing.words import Words
from ninsho.mail.message import Submission, addressed
from ninsho.mail.options import NO_OPTIONS, Options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from ninsho.client.settings import Settings
    from ninsho.mail.signing.signer import Signer


def send(
    server: "str | Settings | Client | None" = None,
    /,
    *,
    sign: "Sequence[Signer]" = (),
    options: Options = NO_OPTIONS,
    transcript: Watch | None = None,
    **words: "Unpack[Words]",
) -> Receipt:
    """Compose a message from *words*, submit it, and return its receipt.

    *server* is a URL such as ``smtps://alice:secret@mail.example.com``, a ``Client`` that is used and left open, or
    nothing: then the environment's ``SMTP_URL`` tells. Where ``from_`` is not given, it is the user name, if that is an
    address. Large files are read while they are sent. Raises ``TypeError`` for an unknown word, ``Unsendable`` for what
    cannot be sent, and what ``Client.send`` raises.
    """
    if isinstance(server, Client):
        return _sent(server, sign, options, words)
    with Client(server, transcript=transcript) as client:
        return _sent(client, sign, options, words)


def _sent(client: Client, sign: "Sequence[Signer]", options: Options, words: Words) -> Receipt:
    login = client.settings.login
    if "from_" not in words and login is not None and "@" in login.username:
        words["from_"] = login.username
    if not sign:
        return client.send(composed(**words), options=options)
    message = compose(**words)
    # What is signed has no Bcc any more: the envelope is told besides.
    sender, recipients, _ = addressed(Submission(message))
    return client.send(render(message, sign=sign), sender=sender, recipients=recipients, options=options)
