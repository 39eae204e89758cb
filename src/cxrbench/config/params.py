"""params.yaml as one checked, immutable model; an unknown key or a bad value is an error that names it.

Config objects stop at the stages: everything below them takes plain arguments.
"""

# mypy: disable-error-code="valid-type"

from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import (
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML, YAMLError

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.language import LANGUAGES
from cxrbench.base.tables import PARTS
from cxrbench.config.checked import Checked, Count, FileName, Seed, Text, check, named, ordered, unknown
from cxrbench.config.cohort import VIEWS, Cohort
from cxrbench.config.labels import Counts
from cxrbench.config.quotas import AUTO, Automatic, counted, scaled
from cxrbench.config.setting import SETTING_KEYS, Setting
from cxrbench.config.studies import PlannedRun, Study, expand

READINGS = ("strict", "loose")
BACKENDS = ("tensorflow", "jax", "torch")
KEPT = "here/../"  # before an output's path in dvc.yaml, which says why; it leads to the same file
EXECUTORS = ("local", "ray", "slurm")
Quotas = dict[str, dict[str, Count]]  # part -> label -> images
Share = Annotated[float, Field(ge=0, le=1)]


def _view_quotas(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, str) and value != AUTO:
        raise ValueError(f"'{value}' is unknown; write '{AUTO}', or how many images of each view each part gets")
    quotas = value if value == AUTO else ordered(handler(value), PARTS[:2])
    return value if value == AUTO else {part: ordered(counts, VIEWS) for part, counts in quotas.items()}


class Views(Checked):
    """How frontal is known from lateral where the metadata leaves it open."""

    quotas: dict[str, Annotated[Quotas, WrapValidator(_view_quotas)]] = Field(
        min_length=1,
        description="cohort -> auto, or train, validation -> lateral, frontal -> images that the network learns from",
    )
    abstain: Annotated[tuple[Share, Share], Field(strict=False)] = Field(
        description="P(frontal) between these two leaves the view open: the image goes to the review list"
    )
    seed: Seed = Field(description="of the draw of these images")
    setting: Setting = Field(description="the view network's setting: the base of the study view-network")

    @field_validator("abstain")
    @classmethod
    def _lower_first(cls, band: tuple[float, float]) -> tuple[float, float]:
        if band[0] > band[1]:
            raise ValueError(f"{list(band)} must be two probabilities, the lower first")
        return band

    @field_validator("setting", mode="before")
    @classmethod
    def _has_its_own_images(cls, tree: Any) -> Any:
        if isinstance(tree, dict) and tree.get("cohort", "views") != "views":
            raise ValueError(f"cohort is {tree['cohort']!r}; the view network has its own images, leave it out")
        return {"cohort": "views", **tree} if isinstance(tree, dict) else tree

    def counts(self, assignment: pd.DataFrame) -> dict[str, Quotas]:
        """The quotas of each cohort in numbers; for 'auto', what ``assignment`` holds under protocol patient."""

        def drawn(cohort: str) -> Quotas:
            rows = assignment[(assignment["cohort"] == "views") & (assignment["source"] == cohort)]
            return counted(rows["patient"], rows["label"], PARTS[:2], VIEWS)

        return {cohort: drawn(cohort) if quotas == AUTO else quotas for cohort, quotas in self.quotas.items()}


def _split_quotas(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, str) and value != AUTO:
        raise ValueError(f"'{value}' is unknown; write '{AUTO}', or how many images of each label each part gets")
    return value if value == AUTO else ordered(handler(value), PARTS)


class Split(Checked):
    """How many images of each class each part gets."""

    quotas: dict[str, Annotated[dict[str, Counts], WrapValidator(_split_quotas)]] = Field(
        description="cohort -> auto (all its images, a fifth to test), or part -> label -> images; null: not divided"
    )
    scale: float = Field(ge=0.0001, le=1000, description="multiplies every quota")
    official_shortfall: Share = Field(description="share of the training quota that the official protocol may lack")
    seed: Seed = Field(description="of the draw of images")

    @field_validator("quotas", mode="before")
    @classmethod
    def _null_is_no_quota(cls, quotas: Any) -> Any:
        """What conf/ says of a cohort can be taken back in no other way: Hydra merges, and removes nothing."""
        return {k: v for k, v in quotas.items() if v is not None} if isinstance(quotas, dict) else quotas

    redraw: bool = Field(
        False,
        description="the base setting's redraw: each seed trains and is judged on a split of its own",
    )
    patients: Literal[READINGS] = Field(
        "strict",
        description="whether a doubtful patient key is read as one person (strict) or as several (loose)",
    )


class Report(Checked):
    """The numbers behind the verdicts."""

    confidence: float = Field(ge=0.5, le=0.999, description="of every interval")
    margin: float = Field(
        ge=0, le=0.5, description="a difference within ± margin has no practical weight; 0.01 is a point of accuracy"
    )
    resamples: int = Field(ge=100, le=1_000_000, description="of the bootstrap")
    seed: Seed = Field(description="of the bootstrap")
    metrics: list[named("metric", ())] = Field([], description="of your own, shown beside the others: their names")
    language: Literal[LANGUAGES] = Field("en", description="of the report: English or Korean")


class Params(Setting):
    """All of params.yaml: the base setting at its top level, and the sections."""

    note: str = Field("", description="what writes params.yaml; nothing reads it")
    profile: Text = Field(description="the name of the profile that conf/ composed, for the report")
    seeds: Annotated[tuple[Seed, ...], Field(strict=False, min_length=1)] = Field(
        description="every setting is trained once with each"
    )
    backend: Literal[BACKENDS] = Field("tensorflow", description="Keras's; the lock holds tensorflow alone")
    workers: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="runs trained side by side; null: what the machine holds; it changes no result",
    )
    executor: Literal[EXECUTORS] = Field(
        "local", description="where the grid is trained; ray and slurm need their extra and a cluster"
    )
    kept: Literal["", KEPT] = Field(
        "",
        description=f"{KEPT} keeps outputs from dvc push, as a restricted cohort needs it: docs/howto/data-remote.md",
    )
    cohorts: dict[FileName, Cohort] = Field(description="name -> where its images come from")
    views: Views
    split: Split
    studies: dict[FileName, Study] = Field(description="name -> what it compares")
    report: Report

    @model_validator(mode="before")
    @classmethod
    def _redraw_stands_in_split(cls, tree: Any) -> Any:
        if isinstance(tree, dict) and "redraw" in tree:
            raise ValueError("redraw stands in the section split, as split.redraw; move it there")
        return tree

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"{list(seeds)} names a seed twice; a repeated seed repeats the same run")
        return seeds

    @field_validator("cohorts", "studies")
    @classmethod
    def _names_differ(cls, named: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if info.field_name == "cohorts" and "views" in named:
            raise ValueError("'views' is the name of the view network's own images; call the cohort something else")
        first: dict[str, str] = {}
        for name in named:
            if (other := first.setdefault(name.casefold(), name)) != name:
                raise ValueError(
                    f"{name!r} and {other!r} differ in capitals alone; some file systems take them for one"
                )
        return named

    @field_validator("cohorts")
    @classmethod
    def _restricted_images_stay_here(cls, cohorts: dict[str, Cohort], info: ValidationInfo) -> dict[str, Cohort]:
        held = [name for name, cohort in cohorts.items() if cohort.pixels_stay_here]
        if held and info.data.get("executor", "local") != "local":
            raise ValueError(
                f"{', '.join(held)} is restricted, and executor {info.data['executor']} sends images to other machines;"
                " set executor to local, or restricted to false where your agreement allows it"
            )
        return cohorts

    @field_validator("cohorts")
    @classmethod
    def _restricted_outputs_stay_here(cls, cohorts: dict[str, Cohort], info: ValidationInfo) -> dict[str, Cohort]:
        held = [name for name, cohort in cohorts.items() if cohort.pixels_stay_here]
        if held and info.data.get("kept") == "":
            raise ValueError(
                f"{', '.join(held)} is restricted, and dvc push would send names of its images and patients;"
                f" set kept to {KEPT} at the top level (dvc exp run -S kept={KEPT}), or restricted to false where your"
                " agreement allows it"
            )
        return cohorts

    @field_validator("views", "split")
    @classmethod
    def _quotas_are_of_cohorts(cls, section: Views | Split, info: ValidationInfo) -> Views | Split:
        cohorts = info.data.get("cohorts", {})
        for name in section.quotas if cohorts else ():
            if name not in cohorts:
                raise CxrbenchError(f"{info.field_name}.quotas: {unknown(name, cohorts)}")
        return section

    @field_validator("split")
    @classmethod
    def _quotas_are_of_labels(cls, split: Split, info: ValidationInfo) -> Split:
        quotas: dict[str, Quotas] = {}
        for name, parts in split.quotas.items() if "cohorts" in info.data else ():
            cohort: Cohort = info.data["cohorts"][name]
            if isinstance(parts, str):  # auto
                quotas[name] = parts
                continue
            for part, counts in parts.items():
                try:
                    labelled = ordered(counts, (cohort.negative, cohort.positive))
                except ValueError as error:
                    raise CxrbenchError(f"split.quotas.{name}.{part}: {error}") from None
                quotas.setdefault(name, {})[part] = labelled
        return split.model_copy(update={"quotas": quotas})

    def quotas(self) -> dict[str, Quotas | Automatic]:
        """What the parts of each cohort are to get, scaled."""

        def of(name: str, quotas: Quotas | str) -> Quotas | Automatic:
            cohort = self.cohorts[name]
            if isinstance(quotas, str):
                return Automatic((cohort.negative, cohort.positive), self.split.scale)
            return scaled(quotas, self.split.scale)

        return {name: of(name, quotas) for name, quotas in self.split.quotas.items()}

    def quotas_filled(self, assignment: pd.DataFrame) -> dict[str, Quotas]:
        """The quotas of each cohort in numbers; for 'auto', what ``assignment`` holds under protocol paper."""

        def drawn(cohort: str, wanted: Automatic) -> Quotas:
            rows = assignment[assignment["cohort"] == cohort]
            return counted(rows["paper"], rows["label"], PARTS, wanted.labels)

        return {
            name: drawn(name, quotas) if isinstance(quotas, Automatic) else quotas
            for name, quotas in self.quotas().items()
        }

    @property
    def base(self) -> Setting:
        """What a study does not say of itself."""
        return Setting(**{**{key: getattr(self, key) for key in SETTING_KEYS}, "redraw": self.split.redraw})

    @property
    def restricted(self) -> set[str]:
        """The cohorts of which no pixel may leave this machine."""
        return {name for name, cohort in self.cohorts.items() if cohort.pixels_stay_here}

    @property
    def redrawn_seeds(self) -> tuple[int, ...]:
        """The seeds for which splits are drawn anew: all of them where a study asks for it, else none."""
        return self.seeds if any(run.setting.redraw for run in self.planned_runs()) else ()

    def planned_runs(self) -> list[PlannedRun]:
        """Every run that the studies ask for."""
        return expand(self.studies, self.base, self.views.setting, self.seeds)


def load(path: str | Path = "params.yaml") -> Params:
    """Reads and checks params.yaml; raises CxrbenchError with the file, the key and what to do.

    It is read as DVC reads it, by YAML 1.2: 1e-4 is a number, and a key that stands twice is an error.
    """
    path = Path(path)
    try:
        tree = YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise CxrbenchError(f"{path} does not exist; run from the folder that holds dvc.yaml") from None
    except YAMLError as error:
        raise CxrbenchError(f"{path} is not valid YAML ({' '.join(str(error).split())})") from None
    try:
        return parse(tree)
    except CxrbenchError as error:
        raise CxrbenchError(f"{path}: {error}") from None


def parse(tree: Any) -> Params:
    """The checked parameters of a parsed YAML tree."""
    params = check(Params, tree)
    for run in params.planned_runs():
        where, cohort = f"studies.{run.study}", run.setting.cohort
        if cohort not in (*params.cohorts, "views"):
            raise CxrbenchError(f"{where}: cohort: {unknown(cohort, (*params.cohorts, 'views'))}")
        if cohort != "views" and cohort not in params.split.quotas:
            raise CxrbenchError(f"split.quotas has no entry for cohort '{cohort}', which {where} uses; add its quotas")
    return params
