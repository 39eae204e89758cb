"""What a failure of MLflow says, as one line that may be shown: a server's address may hold a password."""

import re


def without_password(text: str) -> str:
    """``text`` without the name and password that an address in it may hold."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def reason(error: Exception) -> str:
    """What went wrong, in one line without a password."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return without_password(lines[0])
