"""How a cohort's images become training, validation and test, with an exact number of each class in each part.

paper: by image, as the papers did (they name counts and no patients). patient: no patient in two parts.
official: the source's own test images are the test. Patients who share a picture count as one.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.quotas import Quotas
from cxrbench.splits.patients import choose, patient_groups

FILLED = ("test", "validation", "train")  # in this order, so that what is lacking is lacking in training


def assign(
    images: pd.DataFrame,
    quotas: Quotas,
    protocol: str,
    seed: int | Sequence[int],
    cohort: str,
    official_shortfall: float = 0.0,
    pictures: str = "sha256",
) -> pd.Series:
    """The part of each image: train, validation, test, or '' for unused; indexed as ``images``.

    ``images`` has image_id, label, patient_id, source_part and the column ``pictures``, by default sha256: patients
    who share a picture stay together where whole patients are drawn. Its labels are those of the quotas; the order
    of its rows makes no difference. Every quota is met exactly, except that under 'official' training may lack up to
    ``official_shortfall`` (a share) of each label; a source without a split of its own leaves 'official' empty.
    """
    ordered = images.sort_values("image_id")
    ordered = ordered.assign(group=patient_groups(ordered, pictures))
    quotas = {part: quotas[part] for part in FILLED}
    rng = np.random.default_rng(seed)
    where = f"cohort '{cohort}', protocol {protocol}"
    if protocol == "paper":
        parts = _by_image(ordered, quotas, rng, where)
    elif protocol == "patient":
        parts = _by_patient(ordered, quotas, rng, where)
    elif protocol == "official":
        parts = _official(ordered, quotas, rng, where, official_shortfall)
    else:
        raise ValueError(f"protocol is {protocol!r}; known are paper, patient and official")
    return parts.reindex(images.index, fill_value="")


def refuse_too_few(images: pd.DataFrame, quotas: Quotas, where: str) -> None:
    """CxrbenchError where ``images``, whatever their patients, are too few to fill the quotas of a label."""
    short = _short(images, quotas)
    if short:
        part, label, needed, left = short
        found = _available(images, quotas)
        total = {label: sum(counts[label] for counts in quotas.values()) for label in found}
        raise CxrbenchError(
            f"{where}: part {part} needs {needed} {label} images and {left} are left of {found[label]};"
            f" {_remedy(found, total)}"
        )


def lacking(parts: pd.Series, labels: pd.Series, quotas: Quotas) -> dict[str, dict[str, int]]:
    """part -> label -> images short of the quota, where any are."""
    short = {
        part: {label: count - int(((parts == part) & (labels == label)).sum()) for label, count in counts.items()}
        for part, counts in quotas.items()
    }
    return {part: counts for part, counts in short.items() if any(counts.values())}


def _by_image(images: pd.DataFrame, quotas: Quotas, rng: np.random.Generator, where: str) -> pd.Series:
    refuse_too_few(images, quotas, where)
    parts = pd.Series("", index=images.index, dtype="str")
    for label in next(iter(quotas.values())):
        shuffled = rng.permutation(images.index[images["label"] == label])
        for part, counts in quotas.items():
            parts[shuffled[: counts[label]]] = part
            shuffled = shuffled[counts[label] :]
    return parts


def _by_patient(images: pd.DataFrame, quotas: Quotas, rng: np.random.Generator, where: str) -> pd.Series:
    refuse_too_few(images, quotas, where)
    parts = choose(images["group"].to_numpy(), images["label"].to_numpy(), quotas, rng)
    if parts is None:
        wanted = "; ".join(f"{part} {_counts(counts)}" for part, counts in quotas.items())
        raise CxrbenchError(
            f"{where}: no choice of whole patients was found that gives exactly {wanted} from"
            f" {_counts(_available(images, quotas))} images; {_largest(images)}; lower split.scale or these quotas a"
            " little"
        )
    return pd.Series(parts, index=images.index, dtype="str")


def _official(
    images: pd.DataFrame, quotas: Quotas, rng: np.random.Generator, where: str, official_shortfall: float
) -> pd.Series:
    """Test from the source's test, training from its training, validation from its validation.

    Where the source's validation is too small, validation is carved by whole patients from the source's training
    and validation together, and training is what they leave.
    """
    source = images["source_part"]
    if not source.isin(FILLED).any():
        return pd.Series("", index=images.index, dtype="str")
    test = _used(_by_image(images[source == "test"], {"test": quotas["test"]}, rng, f"{where}, the source's test"))
    only = {"validation": quotas["validation"]}
    own = images[source == "validation"]
    if not _short(own, only):
        validation = _used(_by_image(own, only, rng, where))
        rest = images[source == "train"]
    else:
        pool = images[source.isin(["train", "validation"])]
        carved = _by_patient(pool, only, rng, f"{where}, the source's train and validation")
        validation, rest = _used(carved), pool[carved == ""]
    train = _official_train(rest, quotas["train"], rng, where, official_shortfall)
    return pd.concat([test, validation, train])


def _official_train(
    rest: pd.DataFrame, quota: dict[str, int], rng: np.random.Generator, where: str, official_shortfall: float
) -> pd.Series:
    found = _available(rest, {"train": quota})
    for label, count in quota.items():
        if count - found[label] > official_shortfall * count:
            raise CxrbenchError(
                f"{where}: part train needs {count} {label} images and {found[label]} are left, which lacks more than"
                f" split.official_shortfall = {official_shortfall} allows; {_remedy(found, quota)}"
                " or raise split.official_shortfall"
            )
    reachable = {label: min(count, found[label]) for label, count in quota.items()}
    return _used(_by_image(rest, {"train": reachable}, rng, where))


def _used(parts: pd.Series) -> pd.Series:
    return parts[parts != ""]


def _available(images: pd.DataFrame, quotas: Quotas) -> dict[str, int]:
    """label -> images there."""
    return {label: int((images["label"] == label).sum()) for label in next(iter(quotas.values()))}


def _short(images: pd.DataFrame, quotas: Quotas) -> tuple[str, str, int, int] | None:
    """The first part and label that cannot be filled, with the number needed and the number left for it."""
    left = _available(images, quotas)
    for part, counts in quotas.items():
        for label, count in counts.items():
            if left[label] < count:
                return part, label, count, left[label]
            left[label] -= count
    return None


def _remedy(found: dict[str, int], needed: dict[str, int]) -> str:
    if without := [label for label in needed if not found[label]]:
        return (
            f"no usable frontal image is labelled '{without[0]}': compare the cohort's positive and negative with the"
            " labels that stage download printed, or add images"
        )
    factor = math.floor(1000 * min(found[label] / needed[label] for label in needed)) / 1000
    return f"multiply split.scale by at most {factor} or add images" if factor > 0 else "add images"


def _largest(images: pd.DataFrame) -> str:
    """The images that no division can part, in words: where nearly all are of one group, no smaller quota helps."""
    groups = images.groupby("group")["image_id"]
    names = groups.get_group(groups.size().idxmax()).tolist()
    shown = f", such as {' and '.join(names[:2])}" if len(names) > 1 else ""
    return f"at most {len(names)} are taken for one person's (by patient, copy or near-duplicate){shown}"


def _counts(counts: dict[str, int]) -> str:
    return " + ".join(f"{count} {label}" for label, count in counts.items())
