"""The one exception a user is meant to read: a sentence that says what, where, both values, what to do."""

import errno

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, the user's share of it, the largest file allowed


class CxrbenchError(Exception):
    """Bad input or a state that the user can mend; stages print its message alone and exit with 1."""


def disk_full(error: OSError) -> bool:
    """Whether a write failed for want of space, which the user can mend too."""
    return error.errno in _FULL
