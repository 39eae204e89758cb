"""How many images of each label each part gets."""

import dataclasses
from collections.abc import Collection, Iterable

import pandas as pd

AUTO = "auto"  # in place of counts: every image is used, as the images allow
Quotas = dict[str, dict[str, int]]  # part -> label -> images; the place of a label is its target: negative, positive


@dataclasses.dataclass(frozen=True)
class Automatic:
    """Quotas that the split stage takes from the images: of which labels, and which share of the images at most."""

    labels: tuple[str, str]  # negative, positive
    scale: float = 1.0


def scaled(quotas: Quotas, scale: float) -> Quotas:
    """The quotas times ``scale``, rounded, at least one image each."""
    return {
        part: {label: max(1, round(count * scale)) for label, count in counts.items()}
        for part, counts in quotas.items()
    }


def labels_of(quotas: Quotas | Automatic) -> list[str]:
    """The labels that a cohort's quotas name: the negative one, whose target is 0, then the positive one."""
    return list(quotas.labels if isinstance(quotas, Automatic) else next(iter(quotas.values())))


def counted(parts: pd.Series, labels: pd.Series, names: Collection[str], pair: Collection[str]) -> Quotas:
    """The quotas that a division fills, from the part and the label of each image; ``names`` are the parts to count.

    At least one image each, so that an empty part does not pass for one that is as it should be.
    """
    images = pd.DataFrame({"part": parts, "label": labels}).value_counts()
    return {name: {label: max(1, int(images.get((name, label), 0))) for label in pair} for name in names}


def total(quotas: Iterable[Quotas]) -> Quotas:
    """The quotas of several cohorts together, of the same parts and labels."""
    result: Quotas = {}
    for parts in quotas:
        for part, counts in parts.items():
            sums = result.setdefault(part, {})
            for label, count in counts.items():
                sums[label] = sums.get(label, 0) + count
    return result
