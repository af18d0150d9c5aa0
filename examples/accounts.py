"""A user base of one's own: a function that is asked about each password."""

from ninsho import Request, store

KEYS = {"alice": "correct horse", "bob": "battery staple"}


@store
async def accounts(username: str, password: str, request: Request) -> bool | None:
    if username not in KEYS:
        return None
    return KEYS[username] == password and request.service == "smtp"
