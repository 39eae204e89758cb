"""Quotas that the images decide, where params.yaml says 'auto', so that nobody has to count a folder by hand.

Of each label a fifth tests and a fifth validates; a source's own test, and its own validation where that is not too
small, are taken as they are. Whole patients cannot fill every count exactly, so a few images may stay unused.
"""

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.quotas import Automatic, Quotas
from cxrbench.splits import protocols

FIFTH = 0.2
LEAST_OWN = 0.05  # of a source's train and validation together: a smaller validation chooses no winner
FEWEST = 5  # images of a label: one to test, one to validate, the rest to train
USED = (1.0, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7)  # shares of the images; the first that whole patients can fill


def refuse_too_few(images: pd.DataFrame, wanted: Automatic, where: str) -> None:
    """CxrbenchError where ``images`` hold fewer than FEWEST of a label."""
    for label in wanted.labels:
        if (found := int((images["label"] == label).sum())) < FEWEST:
            raise CxrbenchError(
                f"{where}: {found} usable frontal images are labelled '{label}', and quotas 'auto' need {FEWEST} of"
                " each label; compare the cohort's positive and negative with the labels that stage download printed,"
                " or add images"
            )


def quotas_of(images: pd.DataFrame, wanted: Automatic, seed: int, where: str) -> Quotas:
    """Quotas that can be filled under every protocol by ``images``, as ``protocols.assign`` takes them, with 'picture'.

    Raises CxrbenchError where no share of USED lets whole patients fill them.
    """
    for used in USED:
        quotas = _shares(images, wanted.labels, used * min(wanted.scale, 1.0))
        try:
            for protocol in ("patient", "official"):
                protocols.assign(images, quotas, protocol, seed, where, pictures="picture")
        except CxrbenchError as error:
            refused = error
        else:
            return quotas
    raise CxrbenchError(f"{refused}; quotas 'auto' have tried down to {USED[-1]:.0%} of the images")


def _shares(images: pd.DataFrame, labels: tuple[str, str], used: float) -> Quotas:
    quotas: Quotas = {"train": {}, "validation": {}, "test": {}}
    held = {part: {label: _count(images, label, part) for label in labels} for part in quotas}
    own = all(held["train"].values()) and all(held["test"].values())
    rest = {label: held["train"][label] + held["validation"][label] for label in labels}
    enough = all(held["validation"][label] >= LEAST_OWN * rest[label] for label in labels)
    for label in labels:
        count = int((images["label"] == label).sum())
        test = held["test"][label] if own else FIFTH * count
        validation = held["validation"][label] if own and enough else FIFTH * (rest[label] if own else count)
        everything = test + rest[label] if own else count
        quotas["test"][label] = max(1, round(used * test))
        quotas["validation"][label] = max(1, round(used * validation))
        train = int(used * everything) - quotas["test"][label] - quotas["validation"][label]
        quotas["train"][label] = max(1, min(train, held["train"][label]) if own and enough else train)
    return quotas


def _count(images: pd.DataFrame, label: str, part: str) -> int:
    return int(((images["label"] == label) & (images["source_part"] == part)).sum())
