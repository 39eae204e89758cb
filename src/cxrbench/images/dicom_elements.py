"""One element of a DICOM data set is read: its value, or the refusal of a file that gives it none.

An element that is absent and one that is empty are the same. A value is read from its bytes, because pydicom tries
other types on a number that it cannot read and then hands on whatever fits.
"""

import re
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from cxrbench.images.limits import Undecodable

BINARY = {"US": "u2", "SS": "i2", "UL": "u4", "SL": "i4", "UV": "u8", "SV": "i8", "FL": "f4", "FD": "f8"}
WORDS = ("US", "SS", "OW", "OB", "UN", "US or OW", "OB or OW", "US or SS or OW")  # VRs of a block of bytes
# DICOM PS3.5, 6.2, 'DS'. A comma comes from a writer with another locale, or from one that separates values by
# it; as a decimal point it gives the first value in both cases, but for a fraction.
DECIMAL = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def name_of(keyword: str) -> str:
    """The element's keyword and tag, such as 'Rows (0028,0010)'."""
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword) or 0
    return f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


class Elements:
    """The elements of a file, or of an item in one of its sequences. Each method raises Undecodable, reason 'bad
    header', with the element's name where its value is not of the kind that the method returns.
    """

    def __init__(self, path: str, dataset: Any, within: str = "") -> None:
        self.path, self.dataset, self.within = path, dataset, within

    def refuse(self, keyword: str, problem: str, reason: str = "bad header") -> NoReturn:
        """Raises the refusal: the element's name, then ``problem``."""
        raise Undecodable(self.path, reason, f"{name_of(keyword)}{self.within} {problem}")

    def text(self, keyword: str) -> str:
        """The value in capitals, '' where there is none."""
        values = self._values(keyword)
        if len(values) > 1 or any(not isinstance(value, str) for value in values):
            self.refuse(keyword, f"is {_shown(values)}, not one word")
        return values[0].upper() if values else ""

    def numbers(self, keyword: str, signed: bool = False) -> list[float]:
        """All values, finite; ``signed`` is how whole numbers are read that the file itself gives no type."""
        numbers = []
        for value in self._values(keyword, signed):
            if isinstance(value, str):
                if not DECIMAL.fullmatch(value):
                    self.refuse(keyword, f"is {_shown([value])}, not a number")
                value = float(value.replace(",", "."))
            if not np.isfinite(value):
                self.refuse(keyword, f"is {_shown([value])}, not a number")
            numbers.append(value)
        return numbers

    def number(self, keyword: str, default: float) -> float:
        """The only value, or ``default``."""
        numbers = self.numbers(keyword)
        if len(numbers) > 1:
            self.refuse(keyword, f"holds {len(numbers)} values, {_shown(numbers)}, instead of one")
        return float(numbers[0]) if numbers else default

    def whole(self, keyword: str, default: int | None, allowed: Sequence[int], beside: str = "") -> int:
        """The only value, one of ``allowed``, or ``default``; None for a default: the element has to be there.

        ``beside`` is the keyword of the element that decides what is allowed.
        """
        number = self.number(keyword, np.nan if default is None else default)
        if np.isnan(number):
            self.refuse(keyword, "is absent or empty")
        if number % 1 or int(number) not in allowed:  # a range is searched through for a float
            few = ", ".join(map(str, allowed)) if len(allowed) < 5 else f"{allowed[0]} to {allowed[-1]}"
            also = f" beside {name_of(beside)}" if beside else ""
            self.refuse(keyword, f"is {_shown([number])}; it can be {few}{also}")
        return int(number)

    def block(self, keyword: str) -> bytes:
        """The bytes of an element that holds words or bytes of data, b'' where there is none."""
        element = self._element(keyword)
        value = b"" if element is None or element.value is None else element.value
        if not isinstance(value, bytes) or (element is not None and _vr(element) not in WORDS):
            self.refuse(keyword, "does not hold bytes of data")
        return value

    def little_endian(self, keyword: str) -> bool:
        """The byte order of an element that is there."""
        return getattr(self._element(keyword), "is_little_endian", True)

    def first_item(self, keyword: str) -> "Elements | None":
        """The first item of a sequence; None where there is no item."""
        from pydicom.sequence import Sequence as Items

        if self._element(keyword) is None:
            return None
        try:
            items = self.dataset[keyword].value
        except Exception:  # pydicom raises nearly anything on damaged bytes
            items = "damaged"
        if not items:
            return None
        if not isinstance(items, Items):
            self.refuse(keyword, "is not a sequence of items")
        return Elements(self.path, items[0], f" of {name_of(keyword)}")

    def _element(self, keyword: str) -> Any:
        from pydicom.datadict import tag_for_keyword

        return self.dataset.get_item(tag_for_keyword(keyword)) if keyword in self.dataset else None

    def _values(self, keyword: str, signed: bool = False) -> list[Any]:
        """Texts and numbers; none where all are blank."""
        element = self._element(keyword)
        if element is None:
            return []
        value, vr = element.value, _vr(element)
        if isinstance(value, bytes):
            if vr == "US or SS":
                vr = "SS" if signed else "US"
            if vr in BINARY:
                numbers = np.dtype(BINARY[vr]).newbyteorder("<" if self.little_endian(keyword) else ">")
                if len(value) % numbers.itemsize:
                    self.refuse(keyword, f"holds {len(value)} bytes, which are no numbers of type {vr}")
                return np.frombuffer(value, numbers).tolist()
            value = value.decode("latin-1").split("\\")
        elif value is None or isinstance(value, (str, int, float)):
            value = [value]
        try:
            values = [each.strip(" \0") if isinstance(each, str) else each for each in value]
        except TypeError:
            self.refuse(keyword, "is of a type that can't be read")
        blank = (None, "")
        return [] if all(each in blank for each in values) else values


def _vr(element: Any) -> str:
    """The type as the file says it, else as DICOM's dictionary does."""
    from pydicom.datadict import dictionary_VR

    return str(element.VR) if element.VR not in (None, "UN") else dictionary_VR(element.tag)


def _shown(values: Sequence[Any]) -> str:
    """Values for a message: on one line, and not long."""
    joined = "\\".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
    text = "".join(letter if letter.isprintable() else "?" for letter in joined)
    return f"'{text[:40]}{'...' if len(text) > 40 else ''}'"
