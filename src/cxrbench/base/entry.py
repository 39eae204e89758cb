"""How every stage starts: a user's mistake ends as one sentence and exit code 1, never as a traceback."""

import sys
from collections.abc import Callable

from cxrbench.base.errors import CxrbenchError, disk_full


def run(main: Callable[[], None]) -> None:
    """Calls ``main``; prints a CxrbenchError's message alone, and of a full disk what to do."""
    try:
        main()
    except CxrbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if not disk_full(error):
            raise
        words = "free some space; what was finished is kept, 'dvc repro' goes on from there"
        print(f"error: {error.strerror}; {words}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped; what was finished is kept, 'dvc repro' goes on from there", file=sys.stderr)
        sys.exit(130)
