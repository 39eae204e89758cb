"""Studies -> the runs that answer them. A study is defined in params.yaml; no Keras here."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PROTOCOLS
from cxrbench.config.setting import SETTING_KEYS, Setting, replace
from cxrbench.config.values import mapping, section


@dataclasses.dataclass(frozen=True)
class Study:
    """One question: overrides of the base setting, and the settings it compares as (label, overrides)."""

    name: str
    overrides: dict[str, Any]
    settings: tuple[tuple[str, dict[str, Any]], ...]


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run as a study asks for it; several cells may be answered by one and the same run."""

    study: str
    label: str  # of the setting, e.g. 'lr=0.001'
    setting: Setting
    seed: int


def parse(name: str, tree: Any) -> Study:
    """A study as params.yaml writes it: setting keys, and either `vary` (axes) or `settings` (named ones)."""
    where = f"studies.{name}"
    tree = section(where, {} if tree is None else tree, (*SETTING_KEYS, "vary", "settings"))
    overrides = {key: value for key, value in tree.items() if key in SETTING_KEYS}
    if "vary" in tree and "settings" in tree:
        raise CxrbenchError(f"{where} has both 'vary' and 'settings'; give it axes or named settings, not both")
    if "settings" in tree:
        named = mapping(f"{where}.settings", tree["settings"])
        settings = [(label, section(f"{where}.settings.{label}", part, SETTING_KEYS)) for label, part in named.items()]
    else:
        axes = section(f"{where}.vary", tree.get("vary", {}), SETTING_KEYS)
        for axis, values in axes.items():
            if not isinstance(values, list) or not values:
                raise CxrbenchError(f"{where}.vary.{axis} is {values!r}; it must be a list of values")
            if len({str(value) for value in values}) < len(values):
                raise CxrbenchError(f"{where}.vary.{axis} names a value twice: {values}")
        points = [dict(zip(axes, values)) for values in itertools.product(*axes.values())]
        settings = [(", ".join(f"{axis}={value}" for axis, value in p.items()) or "base", p) for p in points]
    if not settings:
        raise CxrbenchError(f"{where} compares no settings; give it an axis under 'vary' or remove it")
    return Study(name, overrides, tuple(settings))


def expand(studies: Iterable[Study], base: Setting, view_base: Setting, seeds: Iterable[int]) -> list[Cell]:
    """Every cell of every study, in the order of params.yaml; a bad value is an error that names its study."""
    seeds = tuple(seeds)
    cells = []
    for study in studies:
        start = view_base if study.overrides.get("cohort") == "views" else base
        for label, overrides in study.settings:
            setting = replace(start, {**study.overrides, **overrides}, f"studies.{study.name} ({label})")
            cells += [Cell(study.name, label, setting, seed) for seed in seeds]
    return cells


def divided(cells: Sequence[Cell], assignment: pd.DataFrame) -> tuple[list[Cell], list[Cell]]:
    """The cells that can be run, and those whose protocol divides no image of their cohort.

    A source without a split of its own leaves the official protocol empty. A cohort that is not in the table at all
    is not judged here.
    """
    used = assignment.groupby("cohort")[list(PROTOCOLS)].agg(lambda parts: parts.ne("").any())
    found: tuple[list[Cell], list[Cell]] = ([], [])
    for cell in cells:
        cohort, protocol = cell.setting.cohort, cell.setting.protocol
        found[cohort in used.index and not used.loc[cohort, protocol]].append(cell)
    return found


def undivided(setting: Setting) -> str:
    """Why a setting was not run."""
    return f"for the source of cohort {setting.cohort} has no split of its own, so protocol {setting.protocol} is empty"
