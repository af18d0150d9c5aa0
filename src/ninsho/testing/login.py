"""AUTH (RFC 4954): a mechanism's own server side, driven to its verdict."""

import binascii
from collections.abc import Generator
from typing import Any, TypeAlias

from ninsho.errors import MalformedMessage, StoreUnavailable
from ninsho.sasl.channel_binding import bindings_of
from ninsho.sasl.dialogue import (
    Bound,
    BoundChallenge,
    Challenge,
    Denial,
    Denied,
    Dialogue,
    Granted,
    PeerName,
    Verdict,
    Want,
    check_text,
)
from ninsho.sasl.mechanism import Mechanism, Properties
from ninsho.testing.certificates import peer_name
from ninsho.testing.commands import RESPONSE_LIMIT
from ninsho.testing.conversation import Conversation

Course: TypeAlias = Generator[bytes, bytes, Verdict]
Refusal: TypeAlias = tuple[int, str]

GUESSES = frozenset((Denial.MISMATCH, Denial.UNKNOWN, Denial.NO_SECRET))
GRANTED = (235, "2.7.0 Authentication successful")
DENIED = (535, "5.7.8 Authentication credentials invalid")
UNAVAILABLE = (454, "4.7.0 Temporary authentication failure")


class Login:
    """What AUTH does in one conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self._talk = conversation

    def auth(self, argument: str, *, in_transaction: bool) -> None:
        """Serve the command."""
        name, _, initial = argument.partition(" ")
        name = name.upper()
        refusal = self._refusal(name, in_transaction=in_transaction)
        response, malformed = _decoded(initial)
        if refusal is not None or malformed:
            if refusal is None:
                refusal = self._not_base64("AUTH")
            self._talk.answer("AUTH", name, *refusal)
            return
        self._run(self._talk.mechanisms[name], response if initial else None)

    def _refusal(self, name: str, *, in_transaction: bool) -> Refusal | None:
        talk = self._talk
        mechanism = talk.mechanisms.get(name)
        if talk.mechanism is not None:
            talk.violation("AUTH: after one that has succeeded (RFC 4954 §4)")
            return 503, "5.5.1 Already authenticated"
        if in_transaction:
            talk.violation("AUTH: during a mail transaction (RFC 4954 §4)")
            return 503, "5.5.1 AUTH not permitted during a mail transaction"
        if "AUTH" not in talk.offered() and mechanism is None:
            return 502, "5.5.1 AUTH not offered"
        if mechanism is not None:
            return None
        if self._is_withheld(name):
            talk.violation(f"AUTH: {name} shows the password, and there is no TLS")
            return 538, "5.7.11 Encryption required for requested authentication mechanism"
        return 504, "5.5.4 Unrecognized authentication mechanism"

    def _is_withheld(self, name: str) -> bool:
        """Whether only TLS is missing."""
        withheld = self._talk.options.mechanisms(True, False).get(name)
        clear = self._talk.stream.tls is None and self._talk.options.protect_passwords
        return clear and withheld is not None and Properties.PLAINTEXT in withheld.properties

    def _run(self, mechanism: Mechanism, response: bytes | None) -> None:
        """Reply to each message in turn; a fault may go on asking, or let the client in, at any of them."""
        course, event = self._course(mechanism, response), "AUTH"
        step = self._step(course, None)
        while True:
            reply = self._reply_to(step)
            granted = isinstance(step, Granted)
            code = self._talk.answer(event, mechanism.name, *reply)
            if code == 235:
                self._talk.mechanism = mechanism.name
                self._talk.username = _name(step) if granted else None
            if code != 334:
                break
            event = "response"
            answer = self._response(mechanism.name)
            if answer is None:
                break
            if isinstance(step, bytes):
                step = self._step(course, answer)
        course.close()

    def _reply_to(self, step: "bytes | Verdict | Refusal") -> Refusal:
        match step:
            case bytes():
                return 334, binascii.b2a_base64(step, newline=False).decode()
            case Granted(identity):
                return GRANTED if self._talk.options.accounts.admits(identity.authcid, identity.authzid) else DENIED
            case Denied(Denial.UNAVAILABLE):
                return UNAVAILABLE
            case Denied():
                return DENIED
            case (code, text):
                return code, text

    def _step(self, course: Course, response: bytes | None) -> "bytes | Verdict | Refusal":
        try:
            return course.send(response)  # type: ignore[arg-type]  # the first is None
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        except (MalformedMessage, UnicodeError):
            return Denied(Denial.MALFORMED)
        except StoreUnavailable:
            return Denied(Denial.UNAVAILABLE)
        except Exception as error:  # noqa: BLE001 - a mechanism of the test's own; the server reports it when it stops
            self._talk.ledger.errors.append(error)
            return UNAVAILABLE

    def _course(self, mechanism: Mechanism, response: bytes | None) -> Course:
        """Yield the challenges, the mechanism's last words among them, which 235 and 535 cannot carry."""
        if response is not None and not mechanism.binary:
            check_text(response)
        dialogue = mechanism.server(response)
        try:
            verdict = yield from self._dialogue(dialogue, binary=mechanism.binary)
        finally:
            dialogue.close()
        told = not (isinstance(verdict, Denied) and verdict.cause in GUESSES and mechanism.secrets)
        if verdict.data is not None and told:
            yield verdict.data
        return verdict

    def _dialogue(self, dialogue: Dialogue, *, binary: bool) -> Course:
        answer: Any = None
        while True:
            try:
                want = dialogue.throw(answer) if isinstance(answer, Exception) else dialogue.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if isinstance(want, Challenge):
                answer = yield want.data
                if not binary:
                    check_text(answer)
                if isinstance(want, BoundChallenge):
                    answer = Bound(answer, self._bindings().get(want.binding))
            else:
                answer = self._answer(want)

    def _answer(self, want: Want) -> object:
        if isinstance(want, PeerName):
            return peer_name(self._talk.stream.tls)
        try:
            return self._talk.options.accounts.answer(want)
        except Exception as error:  # noqa: BLE001 - the mechanism may know what it means
            return error

    def _bindings(self) -> dict[str, bytes]:
        certificate = self._talk.options.certificate
        return bindings_of(self._talk.stream.tls, own=certificate.der if certificate else None)

    def _response(self, mechanism: str) -> bytes | None:
        """The client's next response; None where it has given up, or sent none, and has been told so."""
        line = self._talk.stream.line()
        text = line.removesuffix(b"\n").removesuffix(b"\r").decode("ascii", "replace")
        response, malformed = _decoded(text)
        refusal: Refusal
        if text == "*":
            refusal = 501, "5.7.0 Authentication aborted"
        elif len(line) > RESPONSE_LIMIT:
            refusal = 500, "5.5.6 Authentication exchange line is too long"
        elif malformed or text == "=" or not line.endswith(b"\r\n"):
            refusal = self._not_base64("response")
        else:
            return response
        self._talk.answer("response", mechanism, *refusal)
        return None

    def _not_base64(self, event: str) -> Refusal:
        self._talk.violation(f"{event}: expected base64 and CRLF")
        return 501, "5.5.2 Cannot decode the response"


def _decoded(text: str) -> tuple[bytes, bool]:
    """A response, and whether it is none; a lone "=" is the empty initial one (RFC 4954 §4)."""
    if text == "=":
        return b"", False
    try:
        return binascii.a2b_base64(text.encode(), strict_mode=True), False
    except ValueError:
        return b"", True


def _name(step: object) -> str | None:
    return (step.identity.authzid or step.identity.authcid) if isinstance(step, Granted) else None
