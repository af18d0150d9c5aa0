"""What the end user is told: codes and reasons that do not tell an unknown user from a wrong password."""

from ninsho.sasl.dialogue import Denial

INVALID_CREDENTIALS = "Invalid credentials"
BAD_INITIAL_RESPONSE = "Invalid base64 data in initial response"
BAD_RESPONSE = "Invalid base64 data in continued response"

REFUSALS: dict[Denial, tuple[str | None, str]] = {
    Denial.MALFORMED: (None, "Invalid authentication data"),
    Denial.DISABLED: ("user_disabled", "The account is disabled"),
    Denial.EXPIRED: ("pass_expired", "The account has expired"),
    Denial.NETWORK: (None, INVALID_CREDENTIALS),
    Denial.AUTHORIZATION: ("authz_fail", INVALID_CREDENTIALS),
    Denial.UNAVAILABLE: ("temp_fail", "Temporary authentication failure"),
    Denial.ERROR: ("temp_fail", "Temporary authentication failure"),
}

# Nobody can tell: this is no wrong password, and waits for nothing.
TEMPORARY = frozenset((Denial.UNAVAILABLE, Denial.ERROR))
