"""LOGIN (draft-murchison-sasl-login-00): user name and password, each for a prompt. Obsolete and indispensable."""

from ninsho.sasl.dialogue import Challenge, Denial, Denied, Dialogue, Granted, Identity, Verify
from ninsho.sasl.exchange import Credentials, Steps
from ninsho.sasl.mechanism import Mechanism, Properties
from ninsho.text import decode_password

# Old clients compare the prompts letter by letter; they are not the draft's own.
USERNAME_PROMPT = b"Username:"
PASSWORD_PROMPT = b"Password:"


def login(response: bytes | None) -> Dialogue:
    """The server's side; an initial response, which the draft does not know, is the user name (smtplib sends one)."""
    authcid = response or (yield from Challenge(USERNAME_PROMPT))
    identity = Identity.parse(authcid)
    password = yield from Challenge(PASSWORD_PROMPT)
    if not (yield from Verify(identity.authcid, decode_password(password))):
        return Denied(Denial.MISMATCH)
    return Granted(identity)


def login_client(credentials: Credentials) -> Steps:
    """The client's side: it answers by position, as servers word their prompts as they like."""
    yield None
    yield credentials.username.encode()
    yield credentials.password.encode()


LOGIN = Mechanism("LOGIN", login, login_client, Properties.PLAINTEXT, Verify)
