"""The file settings.json: what train-grid was asked to run in each study, and what it skipped.

train-grid writes it and report reads it, so the report speaks of the settings that were run and not of whatever
params.yaml holds by then. Settings are plain values here: the report shows them and does not train by them.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import write_text
from cxrbench.config.setting import Setting
from cxrbench.config.studies import PlannedRun


@dataclasses.dataclass(frozen=True)
class StudySetting:
    """One setting of a study: its choices, and why it was skipped (None: it was run)."""

    setting: Mapping[str, Any]  # every field of the setting by name, in the order of its declaration
    skipped: str | None = None  # such as: the source of cohort covid has no split of its own


StudySettings = Mapping[str, Mapping[str, StudySetting]]  # study -> setting label -> setting, in order of params.yaml
SPLIT = {"cohort": None, "protocol": None, "redraw": False}  # the choices that decide the images -> where one is absent
Split = tuple[Any, ...]  # their values


def split_of(setting: Mapping[str, Any]) -> Split:
    """What decides which images a setting is trained and judged on."""
    return tuple(setting.get(name, absent) for name, absent in SPLIT.items())


def splits_of(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Split]:
    """The split of each setting of a study, by label."""
    return {label: split_of(setting) for label, setting in settings.items()}


def settings_of(planned: Iterable[PlannedRun], skipped: Mapping[Setting, str]) -> StudySettings:
    """The settings that the studies plan, in their order; ``skipped`` gives those that are not run their reasons."""
    studies: dict[str, dict[str, StudySetting]] = {}
    for run in planned:
        one = StudySetting(run.setting.model_dump(), skipped.get(run.setting))
        studies.setdefault(run.study, {})[run.label] = one
    return studies


def write_settings(path: str | Path, studies: StudySettings) -> None:
    """Writes the file whole or not at all."""
    tree = {
        study: {label: {"setting": dict(one.setting), "skipped": one.skipped} for label, one in settings.items()}
        for study, settings in studies.items()
    }
    write_text(path, json.dumps(tree, indent=1, ensure_ascii=False) + "\n")


def read_settings(path: str | Path) -> dict[str, dict[str, StudySetting]]:
    """What ``write_settings`` wrote; raises CxrbenchError where the file is missing or damaged."""
    path = Path(path)
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        return {
            study: {label: StudySetting(one["setting"], one["skipped"]) for label, one in settings.items()}
            for study, settings in tree.items()
        }
    except FileNotFoundError:
        raise CxrbenchError(f"{path} does not exist; run 'dvc repro train-grid' to make it") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CxrbenchError(f"{path} is damaged ({error!r}); run 'dvc repro -f train-grid' to make it anew") from None


def run_of(settings: Mapping[str, StudySetting]) -> dict[str, Mapping[str, Any]]:
    """The settings of one study that were run, by label."""
    return {label: one.setting for label, one in settings.items() if one.skipped is None}


def skipped_of(settings: Mapping[str, StudySetting]) -> dict[str, str]:
    """The settings of one study that were skipped, by label, each with its reason."""
    return {label: one.skipped for label, one in settings.items() if one.skipped is not None}
