"""The one exception a user is meant to read: a sentence that says what, where, both values, what to do.

Some failures of the file system are the user's to mend too, and come from whatever writes or reads; here they become
such a sentence.
"""

import errno

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, the user's share of it, the largest file allowed
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)  # this user's rights, a disk mounted read-only


class CxrbenchError(Exception):
    """Bad input or a state that the user can mend; stages print its message alone and exit with 1."""


def disk_full(error: OSError) -> bool:
    """Whether a write failed for want of space, which the user can mend too."""
    return error.errno in _FULL


def what_to_do(error: OSError) -> str | None:
    """What failed and how the user can mend it, in one sentence; None of an error that is not the user's to mend."""
    where = f"{error.filename}: " if error.filename else ""
    if disk_full(error):
        return f"{where}{error.strerror}; free some space"
    if error.errno in _REFUSED:
        return f"{where}{error.strerror}; this user must be able to read and write there"
    return None
