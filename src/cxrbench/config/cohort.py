"""A cohort as params.yaml writes it: which source, where its images are, which two labels its runs tell apart."""

import dataclasses

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.values import choice, number

FETCHES = {  # source -> where it can be fetched from; the others are local folders
    "kaggle": ("kagglehub", "mendeley"),
    "mimic_cxr": ("physionet",),
    "covid19": ("github",),
    "medmnist": ("zenodo",),
}
SOURCES = ("phantom", "directory", *FETCHES)
MEDMNIST_SIZES = (28, 64, 128, 224)
VIEWS = ("lateral", "frontal")  # the labels of the view network's images: the place of each is its target


@dataclasses.dataclass(frozen=True)
class Cohort:
    """Where a cohort's images come from and which two labels its runs tell apart."""

    source: str
    positive: str  # the label a model is to find
    negative: str
    root: str | None = None  # all but phantom: a folder, or a .zip of it; relative to the workspace or absolute
    fetch: str | None = None  # where to fetch it from instead: see FETCHES
    per_label: int | None = None  # mimic_cxr: at most so many images of each label, whole patients; null: all
    restricted: bool | None = None  # pixels never leave this machine; null: true for mimic_cxr, false else
    table: str | None = None  # directory: a CSV of path, label, split, patient_id inside root; null: class folders
    view: str | None = None  # directory: the view of all its images, where the source says so
    kind: str | None = None  # phantom: pneumonia | covid
    scale: float = 1.0  # phantom: share of the full number of patients
    size: int = 160  # phantom, medmnist: pixels, square
    seed: int = 0  # phantom; mimic_cxr: of the patients that per_label draws

    def __post_init__(self) -> None:
        choice("source", self.source, SOURCES)
        number("scale", self.scale, 0.001, 100)
        number("seed", self.seed, 0, 2**31, whole=True)
        for name in ("positive", "negative"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise CxrbenchError(f"{name} is {getattr(self, name)!r}; it must be a label")
        if self.positive == self.negative:
            raise CxrbenchError(f"positive and negative are both {self.positive!r}; a cohort tells two labels apart")
        if self.source == "phantom":
            choice("kind", self.kind or "", ("pneumonia", "covid"))
        else:
            self._check_place()
        if self.source != "medmnist":
            number("size", self.size, 32, 4096, whole=True)
        elif self.size not in MEDMNIST_SIZES:
            raise CxrbenchError(f"size is {self.size}; MedMNIST+ comes in {', '.join(map(str, MEDMNIST_SIZES))} px")
        if self.per_label is not None:
            number("per_label", self.per_label, 1, 10**9, whole=True)
            if self.source != "mimic_cxr":
                raise CxrbenchError(f"per_label is {self.per_label}, but only source mimic_cxr has subsets; remove it")
        if self.restricted not in (None, True, False):
            raise CxrbenchError(f"restricted is {self.restricted!r}; it must be true, false or null")
        if self.view is not None:
            choice("view", self.view, VIEWS)

    def _check_place(self) -> None:
        known = FETCHES.get(self.source, ())
        if bool(self.root) == bool(self.fetch):
            ways = f", or fetch to {' or '.join(known)}" if known else ""
            raise CxrbenchError(
                f"root is {self.root!r} and fetch {self.fetch!r}, but source {self.source} needs one place; set root to"
                f" your local copy{ways}"
            )
        if self.fetch and not known:
            raise CxrbenchError(f"fetch is {self.fetch!r}, but source {self.source} is a local folder; set root to it")
        if self.fetch:
            choice("fetch", self.fetch, known)

    @property
    def pixels_stay_here(self) -> bool:
        """Whether no page, artifact or upload may hold a pixel of this cohort."""
        return self.source == "mimic_cxr" if self.restricted is None else self.restricted
