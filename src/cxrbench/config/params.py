"""params.yaml -> frozen dataclasses; an unknown key or a bad value is an error that names it.

Config objects stop at the stages: everything below them takes plain arguments.
"""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PARTS
from cxrbench.config import studies
from cxrbench.config.cohort import VIEWS, Cohort
from cxrbench.config.setting import SETTING_KEYS, Setting, replace
from cxrbench.config.values import choice, mapping, number, section, unknown

READINGS = ("strict", "loose")
Quotas = dict[str, dict[str, int]]  # part -> label -> images


@dataclasses.dataclass(frozen=True)
class Views:
    """How frontal is known from lateral where the metadata leaves it open."""

    quotas: dict[str, Quotas]  # cohort -> train, validation -> frontal, lateral -> images the network learns from
    abstain: tuple[float, float]  # P(frontal) between these goes to the review list
    seed: int
    setting: Setting

    @property
    def total(self) -> Quotas:
        """The quotas of all cohorts together: part -> view -> images."""
        parts = next(iter(self.quotas.values()))
        return {
            part: {view: sum(quotas[part][view] for quotas in self.quotas.values()) for view in parts[part]}
            for part in parts
        }


@dataclasses.dataclass(frozen=True)
class Split:
    """How many images of each class each part gets."""

    quotas: dict[str, Quotas]  # cohort -> part -> label -> images
    scale: float  # multiplies every quota
    official_shortfall: float  # share of the training quota that the official protocol may lack
    seed: int
    patients: str = "strict"  # strict | loose: which reading of the source's patient keys makes groups


@dataclasses.dataclass(frozen=True)
class Report:
    """The numbers behind the verdicts."""

    confidence: float  # of every interval
    margin: float  # a difference within +- margin is of no practical weight (share: 0.01 is one point of accuracy)
    resamples: int  # of the bootstrap
    seed: int


@dataclasses.dataclass(frozen=True)
class Params:
    profile: str
    seeds: tuple[int, ...]
    workers: int
    base: Setting
    cohorts: dict[str, Cohort]
    views: Views
    split: Split
    studies: tuple[studies.Study, ...]
    report: Report


def load(path: str | Path = "params.yaml") -> Params:
    """Reads and checks params.yaml; raises CxrbenchError with the file, the key and what to do."""
    path = Path(path)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CxrbenchError(f"{path} does not exist; run from the folder that holds dvc.yaml") from None
    except yaml.YAMLError as error:
        raise CxrbenchError(f"{path} is not valid YAML ({error})") from None
    try:
        return parse(tree)
    except CxrbenchError as error:
        raise CxrbenchError(f"{path}: {error}") from None


def cells_of(params: Params) -> list[studies.Cell]:
    """Every run that the parameters ask for."""
    return studies.expand(params.studies, params.base, params.views.setting, params.seeds)


def parse(tree: Any) -> Params:
    """The checked parameters of a parsed YAML tree."""
    own = ("profile", "seeds", "workers", "cohorts", "views", "split", "studies", "report")
    tree = section("top level", tree, own + SETTING_KEYS, required=own)
    cohorts = {
        name: _build(Cohort, f"cohorts.{name}", part) for name, part in mapping("cohorts", tree["cohorts"]).items()
    }
    base = replace(Setting(), {key: tree[key] for key in SETTING_KEYS if key in tree}, "top level")
    params = Params(
        profile=str(tree["profile"]),
        seeds=_seeds(tree["seeds"]),
        workers=number("workers", tree["workers"], 1, 1024, whole=True),
        base=base,
        cohorts=cohorts,
        views=_views(tree["views"]),
        split=_split(tree["split"], cohorts),
        studies=tuple(studies.parse(name, part) for name, part in mapping("studies", tree["studies"]).items()),
        report=_report(tree["report"]),
    )
    _check_names(params)
    return params


def _check_names(params: Params) -> None:
    known = (*params.cohorts, "views")
    for cohort in params.views.quotas:
        choice("views.quotas", cohort, params.cohorts)
    for cell in cells_of(params):
        where, cohort = f"studies.{cell.study}", cell.setting.cohort
        choice(f"{where}: cohort", cohort, known)
        if cohort != "views" and cohort not in params.split.quotas:
            raise CxrbenchError(f"split.quotas has no entry for cohort '{cohort}', which {where} uses; add its quotas")


def _views(tree: Any) -> Views:
    tree = section(
        "views",
        tree,
        ("quotas", "abstain", "seed", "setting"),
        required=("quotas", "abstain", "seed", "setting"),
    )
    quotas = {
        name: _quotas(f"views.quotas.{name}", part, ("train", "validation"), VIEWS)
        for name, part in mapping("views.quotas", tree["quotas"]).items()
    }
    if not quotas:
        raise CxrbenchError("views.quotas is empty; name at least one cohort whose views the network learns from")
    band = tree["abstain"]
    if not (
        isinstance(band, list)
        and len(band) == 2
        and all(isinstance(x, (int, float)) for x in band)
        and 0 <= band[0] <= band[1] <= 1
    ):
        raise CxrbenchError(f"views.abstain is {band!r}; it must be two probabilities, the lower first")
    setting = replace(Setting(cohort="views"), mapping("views.setting", tree["setting"]), "views.setting")
    if setting.cohort != "views":
        raise CxrbenchError(
            f"views.setting.cohort is {setting.cohort!r}; the view network has its own images, leave it out"
        )
    return Views(
        quotas,
        (float(band[0]), float(band[1])),
        number("views.seed", tree["seed"], 0, 2**31, whole=True),
        setting,
    )


def _split(tree: Any, cohorts: dict[str, Cohort]) -> Split:
    tree = section(
        "split",
        tree,
        ("quotas", "scale", "official_shortfall", "seed", "patients"),
        required=("quotas", "scale", "official_shortfall", "seed"),
    )
    quotas = {}
    for name, part in mapping("split.quotas", tree["quotas"]).items():
        if name not in cohorts:
            raise CxrbenchError(f"split.quotas: {unknown(name, tuple(cohorts))}")
        labels = (cohorts[name].negative, cohorts[name].positive)
        quotas[name] = _quotas(f"split.quotas.{name}", part, PARTS, labels)
    return Split(
        quotas,
        number("split.scale", tree["scale"], 0.0001, 1000),
        number("split.official_shortfall", tree["official_shortfall"], 0, 1),
        number("split.seed", tree["seed"], 0, 2**31, whole=True),
        choice("split.patients", tree.get("patients", "strict"), READINGS),
    )


def _report(tree: Any) -> Report:
    tree = section(
        "report",
        tree,
        ("confidence", "margin", "resamples", "seed"),
        required=("confidence", "margin", "resamples", "seed"),
    )
    return Report(
        number("report.confidence", tree["confidence"], 0.5, 0.999),
        number("report.margin", tree["margin"], 0, 0.5),
        number("report.resamples", tree["resamples"], 100, 1_000_000, whole=True),
        number("report.seed", tree["seed"], 0, 2**31, whole=True),
    )


def _quotas(where: str, tree: Any, parts: tuple[str, ...], labels: tuple[str, ...]) -> Quotas:
    tree = section(where, tree, parts, parts)
    result: Quotas = {}
    for part in parts:
        counts = section(f"{where}.{part}", tree[part], labels, labels)
        result[part] = {
            label: number(f"{where}.{part}.{label}", counts[label], 1, 10**9, whole=True) for label in labels
        }
    return result


def _seeds(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not value:
        raise CxrbenchError(f"seeds is {value!r}; it must be a list of whole numbers such as [0, 1, 2]")
    seeds = tuple(number("seeds", seed, 0, 2**31 - 1, whole=True) for seed in value)
    if len(set(seeds)) < len(seeds):
        raise CxrbenchError(f"seeds names a seed twice: {value}; a repeated seed repeats the same run")
    return seeds


def _build(kind: type[Cohort], where: str, tree: Any) -> Cohort:
    fields = dataclasses.fields(kind)
    required = tuple(field.name for field in fields if field.default is dataclasses.MISSING)
    tree = section(where, tree, tuple(field.name for field in fields), required=required)
    try:
        return kind(**tree)
    except CxrbenchError as error:
        raise CxrbenchError(f"{where}: {error}") from None
