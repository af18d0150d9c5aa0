"""Messages with marks where the octets of files will stand."""

import copy
from collections.abc import Iterable
from dataclasses import replace
from email.message import EmailMessage
from typing import TYPE_CHECKING, cast

from ninsho.mail.attachment import Attachment, content_type, file_name
from ninsho.mail.composing.parts import file_part
from ninsho.mail.policy import Written

if TYPE_CHECKING:
    from email.policy import EmailPolicy


def with_marks(message: EmailMessage, files: Iterable[tuple[Attachment, bytes, str]]) -> EmailMessage:
    """Return *message* with a part for each file: what is told of it, its first octets, the mark for all of them."""
    message = copy.deepcopy(message)
    policy = _own(message)
    if message.get_content_type() != "multipart/mixed":
        message.make_mixed()
    for attachment, beginning, mark in files:
        name = file_name(attachment)
        told = replace(
            attachment, path=None, filename=name, content_type=content_type(attachment, name), data=beginning
        )
        part = file_part(told, names=policy.header_charset, inline=False, policy=policy)
        part.set_payload(mark)
        message.attach(part)
    return message


def _own(message: EmailMessage) -> Written:
    """Let *message* write the fields of our parts as they are; those of the library's making write themselves."""
    if not isinstance(message.policy, Written):
        policy = cast("EmailPolicy", message.policy)
        message.policy = Written(cte_type=policy.cte_type, utf8=policy.utf8, max_line_length=policy.max_line_length)
    return message.policy
