"""One connection of a mail server: requests in, logins advanced, replies out. The shell around it does the I/O."""

import itertools
import os
import time
from collections.abc import Awaitable, Collection
from secrets import token_hex
from typing import Any, TypeAlias

from ninsho.daemon.authenticator import Attempt, Course
from ninsho.daemon.journal import Decision
from ninsho.daemon.policy import BINDING_MINOR, Desk, Policy
from ninsho.daemon.refusals import BAD_INITIAL_RESPONSE, BAD_RESPONSE, INVALID_CREDENTIALS, REFUSALS, TEMPORARY
from ninsho.daemon.shell import Done, Shell, Timer
from ninsho.errors import ProtocolError, StoreUnavailable
from ninsho.sasl.dialogue import Bound, BoundChallenge, Challenge, Denial, Denied, Granted, Verdict
from ninsho.stores.accounts import Request
from ninsho.wire.dovecot import replies, requests
from ninsho.wire.dovecot.fields import LINE_LIMIT, MalformedBase64
from ninsho.wire.lines import Lines

# Postfix gives up after 10 s (its AUTH_TIMEOUT), and then tells the end user of an outage.
ANSWER_LIMIT = 8.0
# Dovecot's: 150 s. Postfix forgets a login without a word when its client goes away in the middle.
RESPONSE_LIMIT = 150.0
# Logins that wait for their client's response on one connection; the oldest makes room for the newest. Postfix and Exim
# speak version 1.0 and have one end user at a time, whose logins they forget; others have many end users on one.
PARKED_LIMIT = 100
SHARED_PARKED_LIMIT = 900
# Logins that wait for anything on one connection.
LOGIN_LIMIT = 1000

Step: TypeAlias = Challenge | Awaitable[Any] | Verdict

_connections = itertools.count(1)


class Login:
    """A login not decided at once: ``parked`` while its client has the word, ``decided`` once its refusal is noted.

    It is ``bound`` while the mail server is to tell of its client's channel.
    """

    __slots__ = ("attempt", "bound", "course", "decided", "id", "parked", "policy", "since", "timer")

    def __init__(self, id: int, policy: Policy, attempt: Attempt, course: Course, since: float) -> None:
        self.id = id
        self.policy = policy
        self.attempt = attempt
        self.course = course
        self.since = since
        self.parked = False
        self.bound = False
        self.decided = False
        self.timer: Timer | None = None


class Connection:
    """The server's side of the protocol on one connection.

    *desk* has the policy, which is looked up at each login: a new configuration holds for the next one. Call ``opened``
    first, then ``received`` with whatever arrives, at last ``lost``.
    """

    def __init__(self, shell: Shell, desk: Desk) -> None:
        self._shell = shell
        self._desk = desk
        self._lines = Lines(LINE_LIMIT)
        self._minor: int | None = None
        # Whether the client has to speak first, and whether it can tell of the end user's channel: from 1.3 on.
        self._waits = self._binds = False
        self._client_pid = 0
        self._logins: dict[int, Login] = {}
        self._out: list[bytes] = []
        self._draining = False
        self._closed = False

    @property
    def established(self) -> bool:
        """Whether the client has said who it is."""
        return self._client_pid != 0

    def opened(self) -> None:
        """Send the whole handshake at once: old clients read it before they write, and some read only once.

        From version 1.3 on, what is offered depends on the client's own version, which has to come first.
        """
        minor = self._desk.policy.minor
        self._waits = minor >= BINDING_MINOR
        self._shell.send(replies.version(minor) if self._waits else replies.version(minor) + self._offer())

    def received(self, data: bytes) -> None:
        """Take what the client sent, and send what can be answered at once in one write."""
        try:
            for line in self._lines.feed(data):
                if self._closed:
                    return
                request = requests.parse(line)
                if not self._client_pid:
                    self._shake_hands(request)
                elif isinstance(request, requests.Auth):
                    self._begin(request)
                elif isinstance(request, requests.Cont):
                    self._continue(request)
                else:
                    self._take(request)
        except ProtocolError as error:
            self._desk.policy.journal.note("protocol-error", pid=self._client_pid, text=str(error))
            self._close()
        self._flush()

    def lost(self) -> None:
        """Forget every login; the verdicts of those that wait for a store are not looked at any more."""
        for login in list(self._logins.values()):
            self._abort(login)

    def uses(self, policies: Collection[Policy]) -> bool:
        """Whether a login under way began under one of *policies*."""
        return any(login.policy is policy for login in self._logins.values() for policy in policies)

    def drain(self) -> None:
        """Close as soon as no login waits for its verdict."""
        self._draining = True
        self._close_if_drained()

    def _offer(self) -> bytes:
        policy = self._desk.policy
        offered = policy.bound if self._binds else policy.mechanisms
        mechs = [replies.Mech(one.name, one.properties.words) for one in offered.values()]
        return replies.offer(mechs, pid=os.getpid(), connection=next(_connections), cookie=token_hex(16))

    def _shake_hands(self, request: requests.Request) -> None:
        match request:
            case requests.Version(minor) if self._minor is None:
                self._minor = minor
                if self._waits:
                    self._binds = minor >= BINDING_MINOR
                    self._out.append(self._offer())
            case requests.Cpid(pid) if self._minor is not None:
                self._client_pid = pid
            case _:
                raise ProtocolError(f"expected VERSION, then CPID, got {type(request).__name__}")

    def _take(self, request: requests.Request) -> None:
        match request:
            case requests.Cancel(id):
                self._cancel(id)
            case _:
                raise ProtocolError(f"unexpected {type(request).__name__} after the handshake")

    def _begin(self, auth: requests.Auth) -> None:
        if auth.id in self._logins:
            raise ProtocolError(f"request id {auth.id} is in use")
        policy = self._desk.policy
        request = Request(auth.mechanism.upper(), auth.fields, self._client_pid)
        mechanism = (policy.bound if self._binds else policy.mechanisms).get(request.mechanism)
        if len(self._logins) >= LOGIN_LIMIT:
            return self._refuse_at_once(auth.id, request, "Too many logins at once", code="temp_fail")
        if mechanism is None:
            return self._refuse_at_once(auth.id, request, "Unsupported authentication mechanism")
        # Postfix and Exim name it first: looking through all fields takes 0.5 µs.
        if not auth.fields[:1] or not (auth.fields[0].startswith("service=") or request.service):
            return self._refuse_at_once(auth.id, request, "Expected the parameter service")
        try:
            response = requests.initial_response(auth.response, self._minor or 0)
        except MalformedBase64:
            return self._refuse_at_once(auth.id, request, BAD_INITIAL_RESPONSE, code="invalid_base64")
        attempt = Attempt(policy.user_base, request, time.time, policy.rules)
        course = attempt.run(mechanism, response)
        since = self._shell.now()
        step = self._step(attempt, course, policy, None)
        if isinstance(step, Granted):
            # Most logins: nothing has to be kept of them.
            return self._grant(auth.id, attempt, policy, step, since)
        login = self._logins[auth.id] = Login(auth.id, policy, attempt, course, since)
        return self._go_on(login, step)

    def _continue(self, cont: requests.Cont) -> None:
        login, now = self._logins.get(cont.id), self._shell.now()
        if login is None or now - login.since > RESPONSE_LIMIT:
            if login is not None:
                self._abort(login)
            self._out.append(replies.fail(cont.id, "Authentication request timed out"))
            return
        if not login.parked:
            self._abort(login)
            self._out.append(replies.fail(cont.id, "Unexpected continuation"))
            return
        try:
            response = requests.continued_response(cont.response)
            binding = None if cont.binding is None else requests.continued_response(cont.binding)
        except MalformedBase64:
            self._abort(login)
            self._out.append(replies.fail(cont.id, BAD_RESPONSE, code="invalid_base64"))
            return
        login.parked = False
        login.since = now
        self._advance(login, Bound(response, binding) if login.bound else response)

    def _cancel(self, id: int) -> None:
        if (login := self._logins.get(id)) is not None:
            self._abort(login)
        if self._minor is not None and self._minor >= 4:
            self._out.append(replies.cancelled(id))

    def _step(
        self, attempt: Attempt, course: Course, policy: Policy, answer: object, error: BaseException | None = None
    ) -> Step:
        """Give a login the answer, or the error, that it waits for; return what it waits for next, or the verdict."""
        try:
            return course.send(answer) if error is None else course.throw(error)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict
        except Exception as accident:  # noqa: BLE001 - whatever a mechanism or a store does, it must not end other logins
            denied = attempt.accident(accident)
            if denied is None:
                policy.journal.trouble("login-error", accident, mech=attempt.request.mechanism)
            return denied or Denied(Denial.ERROR)

    def _advance(self, login: Login, answer: object, error: BaseException | None = None) -> None:
        self._go_on(login, self._step(login.attempt, login.course, login.policy, answer, error))

    def _go_on(self, login: Login, step: Step) -> None:
        match step:
            case Challenge(data):
                login.parked = True
                self._make_room()
                if login.attempt.cause is not None:
                    # Last words, after which many clients hang up, and Postfix does not tell.
                    self._decide(login, login.attempt.cause)
                login.bound = isinstance(step, BoundChallenge)
                binding = step.binding if isinstance(step, BoundChallenge) else None
                self._out.append(replies.cont(login.id, data, binding=binding))
            case Granted():
                del self._logins[login.id]
                self._grant(login.id, login.attempt, login.policy, step, login.since)
            case Denied(cause, data):
                self._decide(login, cause)
                if cause in TEMPORARY and self._may_close(login):
                    self._close()
                else:
                    self._refuse(login, cause, data)
            case awaitable:
                left = ANSWER_LIMIT - (self._shell.now() - login.since)
                login.timer = self._shell.wait(awaitable, left, self._resume(login))

    def _resume(self, login: Login) -> Done:
        def done(result: object, error: BaseException | None) -> None:
            login.timer = None
            if self._logins.get(login.id) is not login:
                return
            if isinstance(error, TimeoutError):
                error = StoreUnavailable("no answer from the store in time")
            self._advance(login, result, error)
            self._flush()

        return done

    def _grant(self, id: int, attempt: Attempt, policy: Policy, verdict: Granted, since: float) -> None:
        if policy.journal.writes_successes:
            self._note(attempt, policy, None, since)
        self._out.append(replies.ok(id, attempt.user, master=attempt.master, response=verdict.data))

    def _decide(self, login: Login, cause: Denial) -> None:
        if not login.decided:
            login.decided = True
            self._note(login.attempt, login.policy, cause, login.since)

    def _note(self, attempt: Attempt, policy: Policy, cause: Denial | None, since: float) -> None:
        seconds = self._shell.now() - since
        policy.journal.decided(
            Decision(attempt.request, attempt.username, cause, attempt.detail, seconds, attempt.authzid)
        )

    def _may_close(self, login: Login) -> bool:
        """Whether this client learns of a temporary failure by a closed connection, and nobody else's verdict is lost.

        Postfix and Exim speak protocol 1.0 and take every FAIL for a wrong password (535); only for a closed
        connection they say 454 and 435. Logins which wait for their end user are told the same, and rightly so.
        """
        return (
            self._minor == 0
            and login.policy.on_temporary_failure == "close"
            and all(other is login or other.parked for other in self._logins.values())
        )

    def _refuse(self, login: Login, cause: Denial, data: bytes | None) -> None:
        code, reason = REFUSALS.get(cause, (None, INVALID_CREDENTIALS))
        username = login.attempt.username
        user = username if username is not None and username.isprintable() else None
        line = replies.fail(login.id, reason, user=user, code=code, response=data)

        def release() -> None:
            if self._logins.get(login.id) is login:
                del self._logins[login.id]
                self._out.append(line)

        delay = 0.0 if cause in TEMPORARY else login.policy.failure_delay
        if delay <= 0:
            return release()

        def release_later() -> None:
            release()
            self._flush()

        login.timer = self._shell.hold(login.since + delay, release_later)
        return None

    def _refuse_at_once(self, id: int, request: Request, reason: str, *, code: str | None = None) -> None:
        """Answer an AUTH that never becomes a login: nothing was guessed, nothing is delayed."""
        cause = Denial.UNAVAILABLE if code == "temp_fail" else Denial.MALFORMED
        self._desk.policy.journal.decided(Decision(request, None, cause, reason, 0.0))
        self._out.append(replies.fail(id, reason, code=code))

    def _make_room(self) -> None:
        limit = SHARED_PARKED_LIMIT if self._minor else PARKED_LIMIT
        if len(self._logins) > limit:
            parked = [login for login in self._logins.values() if login.parked]
            if len(parked) > limit:
                self._abort(parked[0])

    def _abort(self, login: Login) -> None:
        """Forget a login without a reply."""
        del self._logins[login.id]
        if login.timer is not None:
            login.timer.cancel()
        try:
            login.course.close()
        except Exception as error:  # noqa: BLE001 - a mechanism's own cleaning up must not keep other logins
            login.policy.journal.trouble("login-error", error, mech=login.attempt.request.mechanism)
        self._decide(login, Denial.ABORTED)

    def _flush(self) -> None:
        if self._out:
            self._shell.send(self._out[0] if len(self._out) == 1 else b"".join(self._out))
            self._out.clear()
        if self._draining:
            self._close_if_drained()

    def _close(self) -> None:
        self._draining = False
        self._closed = True
        self._flush()
        self.lost()
        self._shell.close()

    def _close_if_drained(self) -> None:
        if not self._closed and all(login.parked for login in self._logins.values()):
            self._close()
