"""Checking one value of params.yaml: each function returns the value or raises a sentence that names it."""

import difflib
import math
from collections.abc import Collection
from typing import Any

from cxrbench.base.errors import CxrbenchError


def unknown(key: str, known: Collection[str]) -> str:
    """A clause that says a name is unknown and what its writer may have meant."""
    close = difflib.get_close_matches(str(key), known, n=1)
    meant = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
    return f"'{key}' is unknown; {meant}"


def choice(name: str, value: Any, known: Collection[str]) -> str:
    if value not in known:
        raise CxrbenchError(f"{name}: {unknown(str(value), known)}")
    return value


def number(name: str, value: Any, low: float, high: float, whole: bool = False, above: bool = False) -> Any:
    """``value`` where it is a finite (whole) number from ``low`` (not itself, with ``above``) to ``high``."""
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        raise CxrbenchError(f"{name} is {value!r}; it must be a {'whole ' if whole else ''}number")
    if not low <= value <= high or (above and value == low):
        raise CxrbenchError(f"{name} is {value}; it must be {'above' if above else 'from'} {low} and at most {high}")
    return value


def mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CxrbenchError(f"{name} is {value!r}; it must be a mapping of keys to values")
    return value


def section(name: str, value: Any, known: Collection[str], required: Collection[str] = ()) -> dict[str, Any]:
    """A mapping of ``known`` keys only, with all ``required`` ones there."""
    value = mapping(name, value)
    for key in value:
        if key not in known:
            raise CxrbenchError(f"{name}: {unknown(key, known)}")
    for key in required:
        if key not in value:
            raise CxrbenchError(f"{name}: '{key}' is missing; add it")
    return value
