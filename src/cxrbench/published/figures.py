"""A printed figure as the exact range of values that it may stand for."""

import dataclasses
import decimal
from fractions import Fraction

from cxrbench.base.errors import CxrbenchError

UNITS = ("%", "share", "s")
Range = tuple[Fraction, Fraction]  # both ends belong to it


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number as printed, in its unit: 98.00 is not 98.0."""

    printed: decimal.Decimal
    unit: str  # of UNITS; '%' and 'share' both stand for shares, the cross-entropy of a loss too

    @property
    def value(self) -> Fraction:
        """In shares, nats or seconds."""
        return Fraction(self.printed) / self._hundred

    @property
    def step(self) -> Fraction:
        """One of its last digit."""
        return Fraction(10) ** int(self.printed.as_tuple().exponent) / self._hundred

    @property
    def rounded_from(self) -> Range:
        """What is printed so when it is rounded to the nearest, a half either way."""
        return self.value - self.step / 2, self.value + self.step / 2

    @property
    def cut_from(self) -> Range:
        """What is printed so when further digits are cut off."""
        return self.value, self.value + self.step * (1 - Fraction(1, 10**9))

    def print(self, value: Fraction) -> str:
        """Another ``value``, printed as this figure is."""
        exact = decimal.Decimal((value * self._hundred).numerator) / (value * self._hundred).denominator
        return str(exact.quantize(decimal.Decimal(1).scaleb(int(self.printed.as_tuple().exponent))))

    @property
    def _hundred(self) -> int:
        return 100 if self.unit == "%" else 1


def figures(text: object, unit: str) -> tuple[Figure, Figure]:
    """The two ends of a printed figure such as '98.00' or '0.60-0.70'; the same twice where it is one number.

    Raises CxrbenchError where it is no number in quotes.
    """
    try:
        ends = [Figure(decimal.Decimal(end), unit) for end in str(text).split("-")]
        if isinstance(text, str) and len(ends) <= 2 and all(end.printed.is_finite() for end in ends):
            return ends[0], ends[-1]
    except decimal.InvalidOperation:
        pass
    raise CxrbenchError(f"{text!r} is no printed figure; write it in quotes, such as '98.00'")
