"""Bounces after the standard and in the words of many servers; what is none is taken for none."""

import time
from base64 import encodebytes
from email.message import EmailMessage
from email.utils import make_msgid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail import bounce
from ninsho.mail.bounce import Report

ORIGINAL = """\
Return-Path: <bounces+alice=example.org@news.example.jp>
From: =?iso-2022-jp?B?GyRCO3NFRBsoQg==?= <news@example.jp>
To: alice@example.org
Subject: =?utf-8?B?44GK55+l44KJ44Gb?=
Message-ID: <20260401.1@news.example.jp>

the text
"""
DAEMON = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.jp\nTo: bounces@news.example.jp\nSubject: returned\n"


def dsn(status, *, text="This is the mail system.\n", kind="message/delivery-status", original="message/rfc822"):
    return f"""\
Return-Path: <>
Delivered-To: bounces+alice=example.org@news.example.jp
From: MAILER-DAEMON@mx.example.jp (Mail Delivery System)
To: bounces+alice=example.org@news.example.jp
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B/1.x"

preamble
--B/1.x
Content-Type: text/plain; charset=us-ascii

{text}
--B/1.x
Content-Description: Delivery report
Content-Type: {kind}

{status}
--B/1.x
Content-Type: {original}

{ORIGINAL}
--B/1.x--
""".encode()


def in_words(text, header=DAEMON, *, charset="utf-8"):
    kind = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n"
    return f"{header}{kind}\n{text}".encode(charset)


FAILED = """\
Reporting-MTA: dns; mx.example.jp
Original-Envelope-Id: row-17
X-Postfix-Queue-ID: 4F1
Arrival-Date: Wed,  1 Apr 2026 10:00:00 +0900 (JST)

Final-Recipient: rfc822; alice@example.org
Original-Recipient: rfc822;sales@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 5.1.1 <alice@example.org>: Recipient address
    rejected: User unknown

Final-Recipient: rfc822; bob@example.net
Action: delayed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mail.example.net[192.0.2.1]:25:
    Connection timed out
Will-Retry-Until: Mon,  6 Apr 2026 10:00:00 +0900 (JST)
"""


def test_a_report_after_the_standard():
    found = bounce.read(dsn(FAILED))
    assert found.form == "rfc3464"
    assert found.reporting_mta == "mx.example.jp"
    assert found.envelope_id == "row-17"
    assert found.message_id == "<20260401.1@news.example.jp>"
    assert found.original_sender == "news@example.jp"
    assert found.returned_to == "bounces+alice=example.org@news.example.jp"
    assert found.verp == "alice@example.org"
    first, second = found.reports
    assert first == Report(
        recipient="alice@example.org",
        original_recipient="sales@example.com",
        action="failed",
        status="5.1.1",
        diagnosis="550 5.1.1 <alice@example.org>: Recipient address rejected: User unknown",
        remote_mta="mail.example.org",
    )
    assert first.permanent
    assert first.no_such_address
    assert not first.temporary
    assert (second.recipient, second.action, second.status) == ("bob@example.net", "delayed", "4.4.1")
    assert second.temporary
    assert not second.permanent
    assert found.failed == (first,)


def test_crlf_and_a_line_of_mbox_in_front():
    octets = b"From MAILER-DAEMON Wed Apr  1 10:00:00 2026\r\n" + dsn(FAILED).replace(b"\n", b"\r\n")
    assert [report.recipient for report in bounce.read(octets).reports] == ["alice@example.org", "bob@example.net"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # RFC 3464 §2.3.3
        ("Action: delivered\nStatus: 2.1.5", ("delivered", "2.1.5")),
        ("Action: relayed\nStatus: 2.1.9", ("relayed", "2.1.9")),
        ("Action: expanded\nStatus: 2.0.0", ("expanded", "2.0.0")),
        ("Action: Failed (given up)\nStatus: 5.2.1 (mailbox disabled)", ("failed", "5.2.1")),
        # Who says no more than that it failed may have been told more.
        ("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 #5.1.1 unknown", ("failed", "5.1.1")),
        ("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 552 Quota exceeded", ("failed", "5.0.0")),
        ("Action: failed\nDiagnostic-Code: smtp; 552 Quota exceeded", ("failed", "5.2.2")),
        ("Action: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.1.1 no", ("failed", "5.7.1")),
        ("Status: 4.4.7", ("delayed", "4.4.7")),
        ("Status: 2.0.0", ("delivered", "2.0.0")),
        ("Diagnostic-Code: smtp; 550 No such user", ("failed", "5.1.1")),
        # Given up, for a reason that may pass.
        ("Action: failed\nStatus: 4.4.7", ("failed", "4.4.7")),
    ],
)
def test_what_became_of_it(fields, expected):
    (report,) = bounce.read(dsn(f"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822;a@b.example\n{fields}\n")).reports
    assert (report.action, report.status) == expected


def test_given_up_for_a_reason_that_may_pass():
    (report,) = bounce.read(dsn("R: x\n\nFinal-Recipient: rfc822;a@b.example\nAction: failed\nStatus: 4.4.7\n")).reports
    assert report.temporary
    assert not report.permanent


@pytest.mark.parametrize(
    ("final", "original", "expected"),
    [
        ("rfc822; <a@b.example>", "", ("a@b.example", "")),
        ("RFC822;a@b.example", "rfc822; A@b.example", ("a@b.example", "A@b.example")),
        ("a@b.example", "", ("a@b.example", "")),
        ('rfc822; "a b"@c.example', "", ('"a b"@c.example', "")),
        # What ORCPT was encoded by (RFC 3461 §4.2) is left in by some, and is part of the address for others.
        ("rfc822; tag+x@b.example", "rfc822; tag+2Bx@b.example", ("tag+x@b.example", "")),
        ("rfc822; box@b.example", "rfc822; bob+21st@b.example", ("box@b.example", "bob+21st@b.example")),
        # RFC 6533 §3
        ("utf-8; 山田@例え.jp", "", ("山田@例え.jp", "")),
        (r"utf-8; \x{5C71}\x{7530}@example.jp", "", ("山田@example.jp", "")),
        (r"utf-8; \x{D800}\x{FFFFFF}@example.jp", "", (r"\x{D800}\x{FFFFFF}@example.jp", "")),
        ("rfc822; unknown", "rfc822; a@b.example", ("a@b.example", "")),
    ],
)
def test_recipients_in_all_their_forms(final, original, expected):
    fields = f"Reporting-MTA: dns; x\n\nFinal-Recipient: {final}\n"
    fields += f"Original-Recipient: {original}\n" if original else ""
    (report,) = bounce.read(
        dsn(f"{fields}Action: failed\nStatus: 5.1.1\n", kind="message/global-delivery-status")
    ).reports
    assert (report.recipient, report.original_recipient) == expected


def test_blocks_that_nothing_separates_and_a_part_in_base64():
    joined = FAILED.replace("\n\n", "\n", 1).encode()
    octets = b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n" + encodebytes(joined)
    assert [report.recipient for report in bounce.read(octets).reports] == ["alice@example.org", "bob@example.net"]


def test_headers_alone_came_back():
    found = bounce.read(dsn(FAILED, original="text/rfc822-headers"))
    assert found.message_id == "<20260401.1@news.example.jp>"


SAMPLES = {
    "postfix": (
        """\
This is the Postfix program at host mx.example.jp.

I'm sorry to have to inform you that your message could not be
delivered to one or more recipients.

\t\t\tThe Postfix program

<alice@example.org>: host mail.example.org[192.0.2.1] said: 550 5.1.1
    <alice@example.org>: Recipient address rejected: User unknown in local
    recipient table (in reply to RCPT TO command)

<bob@example.net> (expanded from <team@example.com>): mail for example.net
    loops back to myself
""",
        [
            ("alice@example.org", "", "failed", "5.1.1", "mail.example.org"),
            ("bob@example.net", "team@example.com", "failed", "5.0.0", ""),
        ],
    ),
    "postfix-late": (
        """\
This is the mail system at host mx.example.jp.

####################################################################
# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #
####################################################################

Your message could not be delivered for more than 4 hour(s).
It will be retried until it is 5 day(s) old.

<alice@example.org>: connect to mail.example.org[192.0.2.1]:25: Connection refused
""",
        [("alice@example.org", "", "delayed", "4.4.1", "mail.example.org")],
    ),
    "exim": (
        """\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  alice@example.org
    host mail.example.org [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<alice@example.org>:
    550 5.1.1 No such user here

  bob@example.net
    Unrouteable address

------ This is a copy of the message, including all the headers. ------

"""
        + ORIGINAL,
        [
            ("alice@example.org", "", "failed", "5.1.1", "mail.example.org"),
            ("bob@example.net", "", "failed", "5.1.2", ""),
        ],
    ),
    "exim-late": (
        """\
This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.example.jp.

The address to which the message has not yet been delivered is:

  alice@example.org
    host mail.example.org [192.0.2.1]
    Delay reason: SMTP error from remote mail server after RCPT TO:<alice@example.org>:
    451 4.7.1 Greylisted

No action is required on your part.
""",
        [("alice@example.org", "", "delayed", "4.7.1", "mail.example.org")],
    ),
    "qmail": (
        """\
Hi. This is the qmail-send program at mx.example.jp.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<alice@example.org>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.7.1 we do not relay
Giving up on 192.0.2.1.

<bob@nowhere.example>:
Sorry, I couldn't find any host named nowhere.example. (#5.1.2)

--- Below this line is a copy of the message.

"""
        + ORIGINAL,
        [
            ("alice@example.org", "", "failed", "5.7.1", ""),
            ("bob@nowhere.example", "", "failed", "5.1.2", ""),
        ],
    ),
    "sendmail": (
        """\
The original message was received at Wed, 1 Apr 2026 10:00:00 +0900
from [192.0.2.9]

   ----- The following addresses had permanent fatal errors -----
<alice@example.org>
    (reason: 550 5.1.1 <alice@example.org>... User unknown)
    (expanded from: <all@example.jp>)

   ----- Transcript of session follows -----
... while talking to mail.example.org.:
>>> DATA
<<< 550 5.1.1 <alice@example.org>... User unknown
550 5.1.1 <alice@example.org>... User unknown

   ----- Original message follows -----

"""
        + ORIGINAL,
        [("alice@example.org", "all@example.jp", "failed", "5.1.1", "mail.example.org")],
    ),
    "sendmail-old": (
        """\
   ----- The following addresses had permanent fatal errors -----
<alice@example.org>
<bob@example.net>

   ----- Transcript of session follows -----
550 <alice@example.org>... User unknown
550 <bob@example.net>... Host unknown (Name server: example.net: host not found)
""",
        [("alice@example.org", "", "failed", "5.1.1", ""), ("bob@example.net", "", "failed", "5.1.2", "")],
    ),
    "exchange": (
        """\
Your message did not reach some or all of the intended recipients.

      Subject:\tgreetings
      Sent:\t4/1/2026 10:00 AM

The following recipient(s) could not be reached:

      alice@example.org on 4/1/2026 10:01 AM
            The e-mail account does not exist at the organization this message was sent to.
            <mx.example.org #5.1.1 smtp;550 5.1.1 unknown>
""",
        [("alice@example.org", "", "failed", "5.1.1", "")],
    ),
    "exchange-5.5": (
        """\
Your message

  To:      alice@example.org
  Subject: greetings
  Sent:    Wed, 1 Apr 2026 10:00:00 +0900

did not reach the following recipient(s):

alice@example.org on Wed, 1 Apr 2026 10:00:01 +0900
    The recipient name is not recognized
\tThe MTS-ID of the original message is: c=jp;a= ;p=x;l=MX0123
""",
        [("alice@example.org", "", "failed", "5.1.1", "")],
    ),
    "exchange-ja": (
        """\
配信不能: お知らせ

次の受信者に配信できませんでした:

      alice@example.org 2026/04/01 10:00
            宛先のアドレスが見つかりませんでした。
            <mx.example.org #5.1.1>
""",
        [("alice@example.org", "", "failed", "5.1.1", "")],
    ),
    "yahoo": (
        """\
Message from yahoo.example.
Unable to deliver message to the following address(es).

<alice@yahoo.example>:
This user doesn't have a yahoo.example account (alice@yahoo.example) [0]

--- Original message follows.

"""
        + ORIGINAL,
        [("alice@yahoo.example", "", "failed", "5.1.1", "")],
    ),
    "gmail": (
        """\
Delivery to the following recipient failed permanently:

     alice@example.org

Technical details of permanent failure:
The error that the other server returned was:
550 550 5.1.1 <alice@example.org>: no mailbox here (state 14).

----- Original message -----

"""
        + ORIGINAL,
        [("alice@example.org", "", "failed", "5.1.1", "")],
    ),
    "au": (
        """\
The message was not delivered to the following recipients.

Each of the following recipients was rejected by a remote mail server.
The reasons given by the server are included to help you determine why
each recipient was rejected.

    Recipient: <alice@ezweb.example>
    Reason:    <alice@ezweb.example>... User Unknown

    Recipient: <bob@ezweb.example>
    Reason:    552 mailbox full
""",
        [("alice@ezweb.example", "", "failed", "5.1.1", ""), ("bob@ezweb.example", "", "failed", "5.2.2", "")],
    ),
    "au-full": (
        """\
The user(s) account is temporarily over quota.

<alice@ezweb.example>

--------------------------------------------------
"""
        + ORIGINAL,
        [("alice@ezweb.example", "", "failed", "5.2.2", "")],
    ),
    "softbank": (
        """\
This Message was undeliverable due to the following reason:

Each of the following recipients was rejected by a remote mail server.

Recipient: <alice@softbank.example>
Reason: 550 Invalid recipient: <alice@softbank.example>
""",
        [("alice@softbank.example", "", "failed", "5.1.1", "")],
    ),
    "docomo": (
        """\
メールを配信できませんでした。

宛先:<a..b@docomo.example>
理由:550 Unknown user a..b@docomo.example
""",
        [("a..b@docomo.example", "", "failed", "5.1.1", "")],
    ),
    "docomo-english": (
        """\
The mail could not be delivered to the following address.

   "a..b"@docomo.example
   550 Unknown user a..b@docomo.example
""",
        [('"a..b"@docomo.example', "", "failed", "5.1.1", "")],
    ),
}
FORMS = {"exim-late": "exim", "postfix-late": "postfix", "softbank": "au", "docomo": "other", "docomo-english": "other"}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_servers_say_in_words(name):
    text, expected = SAMPLES[name]
    found = bounce.read(in_words(text))
    told = [
        (each.recipient, each.original_recipient, each.action, each.status, each.remote_mta) for each in found.reports
    ]
    assert told == expected
    assert all(report.diagnosis for report in found.reports)
    assert found.form == FORMS.get(name, name.partition("-")[0])
    if ORIGINAL in text:
        assert found.message_id == "<20260401.1@news.example.jp>"
        assert found.original_sender == "news@example.jp"


@pytest.mark.parametrize("charset", ["iso-2022-jp", "shift_jis", "euc-jp"])
def test_words_in_the_charsets_of_japan(charset):
    text, (expected,) = SAMPLES["docomo"]
    (report,) = bounce.read(in_words(text, charset=charset)).reports
    assert (report.recipient, report.status) == (expected[0], expected[3])


@pytest.mark.parametrize("name", SAMPLES)
def test_a_person_who_passes_a_bounce_on_has_sent_none(name):
    text, _ = SAMPLES[name]
    assert bounce.read(in_words(text, "From: Bob <bob@example.net>\nTo: help@example.jp\n")) is None


def test_the_header_alone_names_the_recipients():
    header = f"{DAEMON}X-Failed-Recipients: alice@example.org, bob@example.net\n"
    found = bounce.read(in_words("Sorry.\n", header))
    assert [report.recipient for report in found.reports] == ["alice@example.org", "bob@example.net"]
    assert found.form == "x-failed-recipients"
    found = bounce.read(in_words(SAMPLES["exim"][0], header))
    assert [report.status for report in found.reports] == ["5.1.1", "5.1.2"]


def test_a_server_that_names_nobody_means_whom_the_message_was_for():
    text = (
        "Delivery has failed to these recipients or groups:\n\nAlice Smith\nNo.\n\nOriginal message headers:\n\n"
        + ORIGINAL
    )
    (report,) = bounce.read(in_words(text)).reports
    assert report.recipient == "alice@example.org"


def test_html_alone():
    text = "<html><body><p>This is the mail system at host mx.example.jp.</p><p>&lt;a@b.example&gt;: 550 5.1.1 no</p></body>"
    octets = f"{DAEMON}Content-Type: text/html\n\n{text}".encode()
    assert bounce.read(octets).reports[0].recipient == "a@b.example"


VACATION = {
    "vacation": "Return-Path: <>\nFrom: Alice <alice@example.org>\nAuto-Submitted: auto-replied\n\nI am away until Monday.\n",
    "challenge": "Return-Path: <>\nFrom: alice@example.org\n\nTo have your mail delivered to alice@example.org, reply to this.\n",
    "a mail of a postmaster": "From: postmaster@example.org\nTo: a@b.example\n\nPlease mend your server.\n",
    "a letter": "From: alice@example.org\nTo: bob@example.net\n\nHello\n",
    "nothing": "",
}


@pytest.mark.parametrize("name", VACATION)
def test_what_is_no_bounce(name):
    assert bounce.read(VACATION[name].encode()) is None


def report(kind, fields):
    return f"""\
Return-Path: <>
From: postmaster@example.org
To: a@b.example
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary=b

--b

Your message was returned to you by a reader: it cannot be delivered to a human.
--b
Content-Type: message/{kind}

{fields}
--b
Content-Type: message/rfc822

{ORIGINAL}
--b--
""".encode()


def test_a_receipt_is_no_bounce():
    octets = report(
        "disposition-notification", "Final-Recipient: rfc822; a@b.example\nDisposition: manual-action; displayed"
    )
    assert bounce.read(octets) is None
    assert bounce.complaint(octets) is None


def test_a_complaint_is_one_and_no_bounce():
    fields = "Feedback-Type: Abuse\nUser-Agent: x/1\nVersion: 1\nOriginal-Rcpt-To: <alice@example.org>\nOriginal-Rcpt-To: b@x"
    octets = report("feedback-report", fields)
    assert bounce.read(octets) is None
    found = bounce.complaint(octets)
    assert found.kind == "abuse"
    assert found.recipients == ("alice@example.org", "b@x")
    assert (found.message_id, found.original_sender) == ("<20260401.1@news.example.jp>", "news@example.jp")
    assert bounce.complaint(dsn(FAILED)) is None


@pytest.mark.parametrize(
    "octets",
    [
        dsn("Reporting-MTA: dns; x\n\n" + "Final-Recipient: rfc822; a@b.example\nAction: failed\n\n" * 10_000),
        dsn("Final-Recipient: rfc822; " + "(" * 500_000),
        dsn("Final-Recipient: rfc822; a@b.example\nDiagnostic-Code: smtp; " + "1." * 300_000),
        dsn("\n \n" * 200_000),
        *(
            in_words("This is the mail system at host x.\n" + text)
            for text in (
                "a@b\n" * 100_000,
                "a" * 1_000_000,
                ("a@" * 400 + "\n") * 500,
                ("-" * 50 + "\nA: b\n") * 10_000,
                "".join(f"<a{number}@b.example>: 550 5.1.1 no\n" for number in range(10_000)),
                "<x@y.example>: host " + "a." * 300_000,
                "host " * 100_000,
            )
        ),
        in_words("delivery to " * 100_000),
        in_words("配信" * 200_000),
        in_words("user " * 100_000 + "\n" + SAMPLES["docomo"][0]),
    ],
    ids=range(14),
)
def test_no_bounce_takes_more_time_than_its_length_deserves(octets):
    begun = time.process_time()
    bounce.read(octets)
    assert time.process_time() - begun < 4


@given(st.binary(max_size=400), st.sampled_from(list(SAMPLES)), st.integers(0, 3000), st.integers(0, 200))
def test_whatever_is_damaged_nothing_raises(noise, name, at, length):
    octets = in_words(SAMPLES[name][0])
    bounce.read(octets[:at] + noise + octets[at + length :])
    octets = dsn(FAILED)
    bounce.read(octets[:at] + noise + octets[at + length :])
    bounce.complaint(octets[:at] + noise + octets[at + length :])
    bounce.read(noise)


def test_a_bounce_of_a_message_that_was_composed_here():
    original = EmailMessage()
    original["From"], original["To"], original["Message-ID"] = "a@example.jp", "b@example.org", make_msgid()
    original.set_content("本文\n")
    octets = dsn(FAILED).replace(ORIGINAL.encode(), original.as_bytes())
    assert bounce.read(octets).message_id == original["Message-ID"]
