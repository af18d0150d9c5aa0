"""Refusals that are not about a recipient: of the sender, or of the message that everybody gets."""

from typing import Final

from ninsho.client.receipt import Receipt, Stage
from ninsho.errors import ClientError

IN_A_ROW: Final = 10  # messages, with none that is taken in between


class RefusesAll(ClientError):
    """The server refuses one message after the other, whoever it is for; the last reply tells why.

    A quota that is used up, a sender that is blocked, a text that is taken for spam: some of it passes.
    """


class Refusals:
    """Counts messages that are refused at MAIL, or for good when they have been sent, until one is taken."""

    def __init__(self) -> None:
        self._row = 0
        self._last = ""

    def count(self, receipt: Receipt) -> bool:
        """Take note of *receipt*; return whether there is no use in going on."""
        if receipt.accepted:
            self._row = 0
        for fate in receipt.fates[:1]:
            if fate.stage is Stage.MAIL or (fate.stage is Stage.DATA and fate.permanent):
                self._row += 1
                place = f"MAIL FROM:<{receipt.sender}>" if fate.stage is Stage.MAIL else "the message"
                self._last = f"{place}: {fate.reply}"
        return self._row >= IN_A_ROW

    def raise_for_all(self) -> None:
        """Raise ``RefusesAll`` where so many were refused."""
        if self._row >= IN_A_ROW:
            raise RefusesAll(f"{self._row} messages in a row were refused, and none was taken: {self._last}")
