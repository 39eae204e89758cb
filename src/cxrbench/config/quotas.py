"""How many images of each label each part gets."""

Quotas = dict[str, dict[str, int]]  # part -> label -> images; the place of a label is its target: negative, positive


def scaled(quotas: Quotas, scale: float) -> Quotas:
    """The quotas times ``scale``, rounded, at least one image each."""
    return {
        part: {label: max(1, round(count * scale)) for label, count in counts.items()}
        for part, counts in quotas.items()
    }


def labels_of(quotas: Quotas) -> list[str]:
    """The labels that a cohort's quotas name: the negative one, whose target is 0, then the positive one."""
    return list(next(iter(quotas.values())))
