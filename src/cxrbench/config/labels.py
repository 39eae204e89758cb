"""Labels in params.yaml: in any case and spacing, kept as the readers of cohorts write them."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from cxrbench.base.labels import normal_label
from cxrbench.config.checked import Count, Text


def _label(value: Any) -> Any:
    """A label such as 1 is a number to YAML; yes and no, which are truth values there, must stand in quotes."""
    return normal_label(str(value)) if isinstance(value, (str, int)) and not isinstance(value, bool) else value


def _by_label(counts: Any) -> Any:
    if not isinstance(counts, dict):
        return counts
    written: dict[Any, Any] = {}
    for key in counts:
        if (label := _label(key)) in written:
            raise ValueError(f"'{written[label]}' and '{key}' are one label; keep one of them")
        written[label] = key
    return {label: counts[key] for label, key in written.items()}


Label = Annotated[Text, BeforeValidator(_label)]
Counts = Annotated[dict[str, Count], BeforeValidator(_by_label)]  # label -> images
