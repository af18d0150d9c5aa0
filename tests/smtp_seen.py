"""What the caller of a client sees of an SMTP dialogue, compared with what the dialogue says."""

import traceback
from base64 import b64encode

from dialogue import Line
from ninsho.client.receipt import Receipt
from ninsho.client.settings import Settings
from ninsho.errors import ClientError
from smtp_dialogue import Plan, Played


def check(plan: Plan, played: Played) -> None:
    """Compare what the caller saw with what the dialogue says."""
    results = list(played.results)
    seen: Receipt | ClientError | None = None
    for line in plan.checks:
        if line.verb == "raises" or (line.verb == "receipt" and not _is_its_own(seen)):
            assert results, f"{plan.at(line)}: expected {line.verb} {line.text}, got nothing more"
            seen = results.pop(0)
        _check(plan, line, seen, played)
        if line.verb == "receipt" and isinstance(seen, ClientError):
            seen = seen.receipt
    assert not results, f"{plan.place}: more than expected: {[*map(picture, results)]}"


def _is_its_own(seen: Receipt | ClientError | None) -> bool:
    return isinstance(seen, ClientError) and seen.receipt is not None


def _check(plan: Plan, line: Line, seen: Receipt | ClientError | None, played: Played) -> None:
    place, receipt = plan.at(line), getattr(seen, "receipt", None) or seen
    found: object
    match line.verb:
        case "raises":
            found = type(seen).__name__ if isinstance(seen, ClientError) else picture(seen)
        case "receipt":
            assert isinstance(receipt, Receipt), f"{place}: {picture(seen)}"
            found = " ".join(fate.outcome.value for fate in receipt.fates)
        case "reply":
            found = str(seen.reply)
        case "temporary" | "permanent":
            assert getattr(seen, line.verb), f"{place}: {picture(seen)}"
            found = line.text
        case "queue":
            found = receipt.queue_id
        case "attempts" | "sender":
            found = str(getattr(receipt, line.verb))
        case "mechanism" | "tls":
            found = getattr(receipt.via, line.verb)
        case "says":
            assert line.text in str(seen), f"{place}: {seen}"
            return
        case "log":
            assert line.text in played.lines, f"{place}: expected {line.text!r}, got {played.lines}"
            return
        case "unlogged":
            assert line.text not in everything(played), f"{place}: {everything(played)}"
            return
    assert found == line.text, f"{place}: expected {line.verb} {line.text}, got {found}: {picture(seen)}"


def picture(result: Receipt | ClientError | None) -> tuple[object, ...]:
    """All there is to see in a result, to be compared."""
    if isinstance(result, Receipt):
        fates = [(fate.recipient, fate.outcome.value, str(fate.reply), fate.stage.value) for fate in result.fates]
        flags = {name for name in ("ok", "temporary", "permanent") if getattr(result, name)}
        return (fates, flags, tuple(result.via), result.attempts, repr(result.error))
    if result is None:
        return ()
    return (type(result).__name__, str(result), result.temporary, picture(result.receipt))


def everything(played: Played) -> str:
    """All that may come to be seen by others than the caller."""
    shown = [*played.lines]
    for result in played.results:
        error = result.error if isinstance(result, Receipt) else result
        shown += [repr(result), str(result)]
        shown += traceback.format_exception(error) if error else []
    return "\n".join(shown)


def secrets_of(settings: Settings) -> list[str]:
    """What must never be seen."""
    login = settings.login
    words = [word for word in (login and login.password, login and login.token) if isinstance(word, str) and word]
    return [form for word in words for form in (word, b64encode(word.encode()).decode())]
