"""Python reads this file as it starts, where its folder is on PYTHONPATH: the clock jumps every two seconds."""

import time

YEAR_S = 365 * 86400
STEPS = (0, -2 * YEAR_S, 0, 2 * YEAR_S)
_real, _began = time.time, time.monotonic()


def _jumping():
    return _real() + STEPS[int(time.monotonic() - _began) // 2 % len(STEPS)]


time.time = _jumping
time.time_ns = lambda: int(_jumping() * 1e9)
