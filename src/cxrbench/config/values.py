"""Checking one value of a data file: each function returns the value or raises a sentence that names it."""

from collections.abc import Collection
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.checked import ordered, unknown


def choice(name: str, value: Any, known: Collection[str]) -> str:
    if value not in known:
        raise CxrbenchError(f"{name}: {unknown(value, known)}")
    return value


def section(name: str, value: Any, known: Collection[str], required: Collection[str] = ()) -> dict[str, Any]:
    """A mapping of ``known`` keys only, with all ``required`` ones there."""
    if not isinstance(value, dict):
        raise CxrbenchError(f"{name} is {value!r}; it must be a mapping of keys to values")
    try:
        ordered(value, known, required=False)
        ordered({key: value[key] for key in value if key in required}, required)
    except ValueError as error:
        raise CxrbenchError(f"{name}: {error}") from None
    return value
