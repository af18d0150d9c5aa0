"""``send``: a message out of words, and on its way, in one call."""

from typing import TYPE_CHECKING

from ninsho.client.receipt import Receipt
from ninsho.client.sync import Client
from ninsho.client.transcript import Watch
from ninsho.mail.composing.large import composed
from ninsho.mail.composing.render import render
from ninsho.mail.composing.words import Words
from ninsho.mail.message import Source, Submission, envelope
from ninsho.mail.options import NO_OPTIONS, Options, Recipient

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from ninsho.client.settings import Settings
    from ninsho.mail.signing.signer import Signer


def send(  # noqa: PLR0913 - by keyword only
    server: "str | Settings | Client | None" = None,
    /,
    *,
    sign: "Sequence[Signer]" = (),
    envelope_from: str | None = None,
    recipients: "Sequence[str | Recipient] | None" = None,
    options: Options = NO_OPTIONS,
    transcript: Watch | None = None,
    **words: "Unpack[Words]",
) -> Receipt:
    """Compose a message from *words*, submit it, and return its receipt.

    *server* is a URL such as ``smtps://alice:secret@mail.example.com``, a ``Client`` that is used and left open, or
    nothing: then the environment's ``SMTP_URL`` tells. Where ``from_`` is not given, it is the user name, if that is an
    address. *envelope_from* is told of failures instead of the author, *recipients* get it instead of those whom it
    names. Large files are read while they are sent. Raises ``TypeError`` for an unknown word, ``Unsendable`` for what
    cannot be sent, and what ``Client.send`` raises.
    """
    if not isinstance(server, Client):
        with Client(server, transcript=transcript) as client:
            return send(client, sign=sign, envelope_from=envelope_from, recipients=recipients, options=options, **words)
    if transcript is not None:
        raise TypeError("transcript: expected a URL beside it, got a client, which has its own")
    message: Source = composed(**_authored(words, server))
    if sign:
        # What is signed has no Bcc any more: the envelope is told besides.
        sender, named = envelope(Submission(message, envelope_from, recipients))
        envelope_from, recipients = sender, recipients or named
        message = render(message, sign=sign)
    return server.send(message, sender=envelope_from, recipients=recipients, options=options)


def _authored(words: Words, client: Client) -> Words:
    login = client.settings.login
    if "from_" not in words and login is not None and "@" in login.username:
        words["from_"] = login.username
    return words
