"""The standard library's own tests of smtplib, run with ``ninsho.like_smtplib`` in its place.

The test module is imported from the Python that runs this; where a distribution leaves it out, ``scripts/install-peers``
installs it. ``LEFT_OUT`` says which of its cases are not run, and why not.
"""

import os
import smtplib
import socket
import threading
import unittest
from importlib import import_module
from unittest import mock

import pytest

from ninsho import like_smtplib

try:
    theirs = import_module("test.test_smtplib")
except ImportError:
    theirs = None

LEFT_OUT = {
    "TooLongLineTests": {
        "testLineTooLong": "a line that no reply has is SMTPServerDisconnected: nothing behind it can be trusted; and "
        "what is too long differs",
    },
    "GeneralTests": {
        "testTimeoutNone": "without a timeout RFC 5321's times hold, as nothing should wait for ever",
        "testSourceAddress": "it binds a port of its own choosing, which another program may have; "
        "DebuggingServerTests.testSourceAddress does the same with a free one",
    },
    "BadHELOServerTests": {
        "testFailingHELO": "its greeting, 199, is no reply of SMTP (RFC 5321 §4.2.1); 554 is SMTPConnectError here too",
    },
    "LMTPGeneralTests": {
        "testUnixDomainSocketTimeoutDefault": "it connects to a socket that is not there, and has the module pretend",
    },
    "DebuggingServerTests": {
        "testSendMessageMultipleResentRaises": "of several Resent- blocks the newest counts (RFC 5322 §3.6.6)",
    },
    "SMTPSimTests": {
        "test_lowercase_mail_from_rcpt_to": "SIZE counts the last line's CRLF (RFC 1870 §3), which smtplib adds uncounted",
    },
}


class Listener:
    """What the tests call ``mock_socket``, as a server that really listens: it says one line to whoever comes."""

    getdefaulttimeout = staticmethod(socket.getdefaulttimeout)
    setdefaulttimeout = staticmethod(socket.setdefaulttimeout)

    def __init__(self):
        self._listener = socket.create_server((theirs.HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._line = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def reply_with(self, line):
        self._line = line

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(self._line + b"\r\n")


class WithListener:
    """The cases with a pretended socket get a real one."""

    def setUp(self):
        self.listener = Listener()
        self.addCleanup(self.listener.close)
        patch = mock.patch.object(theirs, "mock_socket", self.listener)
        patch.start()
        self.addCleanup(patch.stop)
        super().setUp()
        self.port = self.listener.port


class WithRecipient:
    """The message of these cases is for nobody, which is told before ``sendmail`` is called; so it is for somebody."""

    def setUp(self):
        super().setUp()
        self.msg["To"] = "b@example.org"


OURS = {
    "SMTPGeneralTests": (WithListener,),
    "LMTPGeneralTests": (WithListener,),
    "DefaultArgumentsTests": (WithRecipient,),
}


def adapted(case):
    ours = type(case.__name__, (*OURS.get(case.__name__, ()), case), {"__module__": __name__})
    if "client" in vars(case):
        ours.client = getattr(like_smtplib, case.client.__name__)
    for name in left_out(case):
        setattr(ours, name, None)
    return ours


def left_out(case):
    return {name for kind in case.__mro__ for name in LEFT_OUT.get(kind.__name__, ())}


def cases():
    found = [] if theirs is None else vars(theirs).values()
    kinds = [one for one in found if isinstance(one, type) and issubclass(one, unittest.TestCase)]
    return [
        (adapted(kind), name)
        for kind in kinds
        for name in unittest.defaultTestLoader.getTestCaseNames(kind)
        if name not in left_out(kind)
    ]


CASES = cases()


@pytest.fixture
def swapped(monkeypatch):
    monkeypatch.setattr(theirs, "smtplib", like_smtplib)
    # They put a pretended one here, and the real one back.
    monkeypatch.setattr(like_smtplib, "socket", socket, raising=False)
    monkeypatch.setattr(theirs.support, "LOOPBACK_TIMEOUT", 10.0)


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind.__name__}.{name}" for kind, name in CASES])
@pytest.mark.filterwarnings("default::ResourceWarning", "default::DeprecationWarning")
def test_a_case_of_cpythons(swapped, kind, name):
    result = unittest.TestResult()
    kind(name).run(result)
    assert result.testsRun == 1
    told = [text for _, text in result.failures + result.errors]
    assert not told, "\n".join(told)


def test_they_are_there():
    if theirs is not None:
        assert len(CASES) > 70
        return
    reason = "the package test of the standard library is missing: scripts/install-peers installs it"
    if os.environ.get("CI"):
        pytest.fail(f"on CI nothing is skipped: {reason}")
    pytest.skip(reason)


@pytest.mark.skipif(theirs is None, reason="the package test of the standard library is missing")
def test_each_case_that_is_left_out_exists_in_some_version():
    for kind, names in LEFT_OUT.items():
        known = vars(theirs)[kind]
        missing = {name for name in names if not hasattr(known, name)}
        # It came with Python 3.13.
        assert missing <= {"test_lowercase_mail_from_rcpt_to"}


def test_all_that_smtplib_has_is_here():
    assert set(smtplib.__all__) <= set(like_smtplib.__all__)
    for name in smtplib.__all__:
        theirs_is, ours_is = getattr(smtplib, name), getattr(like_smtplib, name)
        if isinstance(theirs_is, type) and not issubclass(theirs_is, Exception):
            public = {one for one in dir(theirs_is) if not one.startswith("_")}
            assert public - set(dir(ours_is)) == set()
        else:
            assert theirs_is is ours_is
