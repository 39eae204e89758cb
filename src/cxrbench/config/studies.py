"""Studies -> the runs that answer them. A study is defined in params.yaml; no Keras here."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.language import N_
from cxrbench.base.tables import PROTOCOLS
from cxrbench.config.checked import Checked, Text, ordered
from cxrbench.config.setting import SETTING_KEYS, Setting, replace

# Some keys of a setting; their values are checked in the setting that they make with the base.
_some = AfterValidator(lambda value: ordered(value, SETTING_KEYS, required=False))
Overrides = Annotated[dict[str, Any], _some]
Axes = Annotated[dict[str, Annotated[list[Any], Field(min_length=1)]], _some]


class Study(Checked):
    """One question: overrides of the base setting, and the settings that it compares."""

    overrides: Overrides = Field({}, description="what all its settings have other than the base")
    vary: Axes = Field({}, description="setting -> its values; every combination is compared")
    settings: dict[Text, Overrides | None] | None = Field(None, description="name -> its settings, instead of vary")
    time: Literal["shared", "alone"] = Field("shared", description="alone: time its runs one after the other")

    @model_validator(mode="before")
    @classmethod
    def _overrides_stand_beside_the_rest(cls, tree: Any) -> Any:
        if not isinstance(tree, dict):
            return {} if tree is None else tree
        own = ("vary", "settings", "time")
        ordered(tree, (*SETTING_KEYS, *own), required=False)
        overrides = {key: value for key, value in tree.items() if key not in own}
        return {"overrides": overrides, **{key: tree[key] for key in own if key in tree}}

    @model_validator(mode="after")
    def _compares_something(self) -> "Study":
        if self.settings is not None and self.vary:
            raise ValueError("it has both 'vary' and 'settings'; give it axes or named settings, not both")
        if self.settings == {}:
            raise ValueError("it compares no settings; give it an axis under 'vary' or remove it")
        return self

    @property
    def compared(self) -> list[tuple[str, dict[str, Any]]]:
        """The label of each setting, such as 'lr=0.001', and what it has other than the others."""
        if self.settings is not None:
            return [(label, overrides or {}) for label, overrides in self.settings.items()]
        points = [dict(zip(self.vary, values)) for values in itertools.product(*self.vary.values())]
        return [(", ".join(f"{axis}={value}" for axis, value in p.items()) or "base", p) for p in points]


@dataclasses.dataclass(frozen=True)
class PlannedRun:
    """One run as a study asks for it; several may be answered by one and the same trained run."""

    study: str
    label: str  # of the setting, e.g. 'lr=0.001'
    setting: Setting
    seed: int
    alone: bool = False  # to be timed with no other run beside it


def expand(studies: Mapping[str, Study], base: Setting, view_base: Setting, seeds: Iterable[int]) -> list[PlannedRun]:
    """Every run of every study, in the order of params.yaml; a bad value is an error that names its study."""
    seeds, runs = tuple(seeds), []
    for name, study in studies.items():
        start = view_base if study.overrides.get("cohort") == "views" else base
        labels: dict[Setting, str] = {}
        for label, overrides in study.compared:
            setting = replace(start, {**study.overrides, **overrides}, f"studies.{name} ({label})")
            if setting in labels:
                raise CxrbenchError(f"studies.{name} has one setting twice: {labels[setting]} and {label}; remove one")
            labels[setting] = label
            runs += [PlannedRun(name, label, setting, seed, study.time == "alone") for seed in seeds]
    return runs


def split_runnable(runs: Sequence[PlannedRun], assignment: pd.DataFrame) -> tuple[list[PlannedRun], list[PlannedRun]]:
    """The runs that have images, and those whose protocol divides no image of their cohort.

    A source without a split of its own leaves the official protocol empty. A cohort that is not in the table at all
    is not judged here.
    """
    used = assignment.groupby("cohort")[list(PROTOCOLS)].agg(lambda parts: parts.ne("").any())
    result: tuple[list[PlannedRun], list[PlannedRun]] = ([], [])
    for run in runs:
        cohort, protocol = run.setting.cohort, run.setting.protocol
        result[cohort in used.index and not used.loc[cohort, protocol]].append(run)
    return result


NOT_RUN = N_("the source of cohort {cohort} has no split of its own, so protocol {protocol} is empty")


def why_not_run(setting: Setting) -> str:
    """Why a setting was not run, as a clause after 'because'."""
    return NOT_RUN.format(cohort=setting.cohort, protocol=setting.protocol)
