"""How every stage starts: a user's mistake ends as one sentence and exit code 1, never as a traceback."""

import sys
from collections.abc import Callable

from cxrbench.base.errors import CxrbenchError, what_to_do


def run(main: Callable[[], None]) -> None:
    """Calls ``main``; prints a CxrbenchError's message alone, and what to do where the disk refuses or is full."""
    goes_on = "what was finished is kept, 'dvc repro' goes on from there"
    try:
        main()
    except CxrbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if (sentence := what_to_do(error)) is None:
            raise
        print(f"error: {sentence}; {goes_on}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"stopped; {goes_on}", file=sys.stderr)
        sys.exit(130)
