"""Where an axis begins and ends and which round numbers stand on it."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

LOG_FROM = 50  # values that span more than this factor are drawn on a logarithmic scale
STEPS = (1, 2, 5, 10)


@dataclasses.dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high``, with numbers at ``ticks``."""

    low: float
    high: float
    ticks: Sequence[float]
    log: bool = False

    def place(self, values: np.ndarray) -> np.ndarray:
        """Where values lie: 0 at ``low``, 1 at ``high``; NaN stays NaN, as what a logarithm does not have."""
        if not self.log:
            return (np.asarray(values, dtype="float64") - self.low) / (self.high - self.low)
        with np.errstate(invalid="ignore", divide="ignore"):
            logarithms = np.log(np.asarray(values, dtype="float64"))
        logarithms[np.isneginf(logarithms)] = np.nan
        found: np.ndarray = (logarithms - math.log(self.low)) / math.log(self.high / self.low)
        return found

    def text(self, tick: float) -> str:
        """A tick's number, as short as all the others need."""
        if self.log:
            return f"{tick:g}"
        step = min((b - a for a, b in zip(self.ticks, self.ticks[1:])), default=1.0)
        return f"{tick:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}".replace("-", "−")


SHARES = Axis(0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1))


def axis(values: np.ndarray, most: int = 6, whole: bool = False, may_log: bool = False) -> Axis:
    """An axis around the finite ones of ``values``, with about ``most`` ticks; ``whole``: at whole numbers."""
    finite = np.asarray(values, dtype="float64")
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if may_log and 0 < low * LOG_FROM < high:
        return _logarithmic(low, high, most)
    if whole:
        step = max(1, _step(high - low, most))
        ticks = [t for t in _multiples(step, low, high) if low <= t <= high]
        return Axis(low, high, ticks) if high > low else Axis(low - 0.5, high + 0.5, [low])
    if high <= low:
        low, high = low - max(abs(low), 1) / 10, high + max(abs(high), 1) / 10
    ticks = _multiples(_step(high - low, most), low, high)
    return Axis(ticks[0], ticks[-1], ticks)


def _step(span: float, most: int) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that parts ``span`` into fewer than ``most``."""
    rough = span / max(1, most - 1) or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))


def _multiples(step: float, low: float, high: float) -> list[float]:
    """Those of ``step`` from the last at or below ``low`` to the first at or above ``high``."""
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def _logarithmic(low: float, high: float, most: int) -> Axis:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first) / most))
    return Axis(10.0**first, 10.0**last, [10.0**power for power in range(first, last + 1, every)], log=True)
