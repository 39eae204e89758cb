"""A cohort as params.yaml writes it: which source, where its images are, which two labels its runs tell apart."""

# mypy: disable-error-code="valid-type"

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from cxrbench.config.checked import Checked, Count, Seed, Text, named, ordered, unknown
from cxrbench.config.labels import Label

FETCHES = {  # source -> where it can be fetched from; the others are local folders
    "kaggle": ("kagglehub", "mendeley"),
    "mimic_cxr": ("physionet",),
    "covid19": ("github",),
    "medmnist": ("zenodo",),
}
PUBLISHERS = [place for places in FETCHES.values() for place in places]
SOURCES = ("phantom", "directory", *FETCHES)
MEDMNIST_SIZES = (28, 64, 128, 224)
COLUMNS = {  # of a table of directory -> the other usual names of each column, in any case and with any separators
    "path": ("file", "filename", "filepath", "image", "image_path", "image_file", "image_index"),
    "label": ("class", "finding", "diagnosis", "target", "finding_labels"),
    "split": ("part", "set", "fold"),
    "patient_id": ("patient", "subject_id", "subject"),
    "view": ("view_position", "projection", "frontal/lateral"),
}
Columns = Annotated[dict[str, Text], AfterValidator(lambda named: ordered(named, COLUMNS, required=False))]
VIEWS = ("lateral", "frontal")  # the labels of the view network's images: the place of each is its target


@dataclasses.dataclass(frozen=True)
class Of:
    """Marks a key that cohorts of these sources alone have."""

    sources: Sequence[str]
    installed: bool = False  # whether a source of an installed package has it too


LOCAL, INSTALLED = Of(SOURCES[1:], installed=True), Of([], installed=True)
PHANTOM, MIMIC, DIRECTORY = Of(["phantom"]), Of(["mimic_cxr"]), Of(["directory"])
VIEWED, SIZED, DRAWN = (Of(["phantom", other]) for other in ("directory", "medmnist", "mimic_cxr"))


def _names_a_patient(form: str) -> str:
    if form.count("{patient}") != 1:
        raise ValueError(
            f"{form!r} must hold {{patient}} once, with * for what else varies: {{patient}}_* of P0012_01.jpg is P0012"
        )
    return form


FileForm = Annotated[str, AfterValidator(_names_a_patient)]


class Cohort(Checked):
    """Where a cohort's images come from and which two labels its runs tell apart."""

    source: named("source", SOURCES) = Field(description="which reader takes the files")
    positive: Label = Field(description="the label that a model is to find")
    negative: Label = Field(description="the other label")
    root: Annotated[Text | None, LOCAL] = Field(None, description="a folder or a .zip of it; may be relative")
    fetch: Annotated[Text | None, Of([*FETCHES])] = Field(None, description=f"instead of root: {', '.join(PUBLISHERS)}")
    per_label: Annotated[Count | None, MIMIC] = Field(None, description="fetch or read so many images of each label")
    restricted: bool | None = Field(None, description="pixels stay on this machine; null: true for mimic_cxr alone")
    table: Annotated[Text | None, DIRECTORY] = Field(None, description="a CSV inside root; null: a folder a label")
    columns: Annotated[Columns, DIRECTORY] = Field(
        {}, description=f"how the table calls its columns, where not as usual: {', '.join(COLUMNS)} -> name"
    )
    file_names: Annotated[FileForm | None, DIRECTORY] = Field(
        None, description="how paths tell the patient, as {patient}_* or {patient}/*; null: they do not"
    )
    view: Annotated[Literal[VIEWS] | None, VIEWED] = Field(None, description="of all its images, if known")
    kind: Annotated[Literal["pneumonia", "covid"] | None, PHANTOM] = Field(None, description="what it imitates")
    scale: Annotated[float, PHANTOM] = Field(1.0, ge=0.001, le=100, description="share of the full number of patients")
    size: Annotated[int, SIZED] = Field(96, ge=28, le=4096, description="pixels, square")
    seed: Annotated[Seed, DRAWN] = Field(0, description="of phantoms, or of the patients drawn for per_label")

    options: Annotated[dict[Text, Any], INSTALLED] = Field(
        {}, description="what the reader of an installed package takes beside the folder"
    )

    @model_validator(mode="after")
    def _has_one_place(self) -> "Cohort":
        known = FETCHES.get(self.source, ())
        if bool(self.root) == bool(self.fetch) and self.source != "phantom":
            ways = "set root, or CXRBENCH_DATA before dvc exp run, to your local copy"
            ways += f", or fetch to {' or '.join(known)}" if known else ""
            raise ValueError(
                f"root is {self.root!r} and fetch {self.fetch!r}, but source {self.source} needs one place;"
                f" {'set one of them to null' if self.root else ways}"
            )
        if self.fetch and known and self.fetch not in known:
            raise ValueError(f"fetch: {unknown(self.fetch, known)}")
        return self

    @model_validator(mode="after")
    def _fits_its_source(self) -> "Cohort":
        if self.positive == self.negative:
            raise ValueError(f"positive and negative are both {self.positive!r}; a cohort tells two labels apart")
        for name, field in type(self).model_fields.items():
            mark = next((mark for mark in field.metadata if isinstance(mark, Of)), Of(SOURCES, installed=True))
            has_it = self.source in mark.sources or (mark.installed and self.source not in SOURCES)
            if not has_it and (value := getattr(self, name)) != field.default:
                of = ", ".join(mark.sources) or "of an installed package"
                raise ValueError(f"{name} is {value!r}, but only source {of} has it; remove it")
        if self.columns and not self.table:
            raise ValueError(f"columns is {self.columns!r}, but there is no table; name it, or remove columns")
        if self.source == "phantom" and (self.kind is None or self.size < 32):
            raise ValueError(f"kind is {self.kind} and size {self.size}; a phantom needs a kind and at least 32 px")
        if self.source == "medmnist" and self.size not in MEDMNIST_SIZES:
            raise ValueError(f"size is {self.size}; MedMNIST+ comes in {', '.join(map(str, MEDMNIST_SIZES))} px")
        return self

    @property
    def pixels_stay_here(self) -> bool:
        """Whether no page, artifact or upload may hold a pixel of this cohort."""
        return self.source == "mimic_cxr" if self.restricted is None else self.restricted
