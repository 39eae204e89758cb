"""The two files of conf/ that a new study of one's own images needs, with comments for who edits them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import write_text

MADE = "Made by 'cxrbench new'"
DATA = """\
# @package _global_
# MADE; docs/howto/own-data.md says what else may stand here.
#   dvc exp run -S data=NAME -S grid=NAME
cohort: NAME
cohorts:
  NAME:
COHORT
  phantom: {source: phantom, kind: pneumonia, positive: pneumonia, negative: normal, seed: 0, scale: 0.2}
views: # what tells frontal from lateral is taught by phantoms, for they have lateral images
  quotas:
    phantom:
      train: {frontal: 451, lateral: 409}
      validation: {frontal: 113, lateral: 61}
split:
  quotas: {NAME: auto, pneumonia: null, covid: null} # auto: all images; null: the papers' cohorts are not used
"""
GRID = """\
# @package _global_
# MADE: any setting of docs/settings.md may vary.
studies:
  NAME:
    protocol: patient # no patient in two parts
    epochs: 20
    vary: {lr: [0.01, 0.001]}
"""
NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,60}")  # what the command line of DVC takes unquoted
TAKEN = ("phantom", "pneumonia", "covid", "views")  # cohorts that the two files name
WHY = {"view": " # of every image; without this line a network decides which are frontal"}


def write(root: Path, name: str, cohort: Mapping[str, Any], replace: bool) -> tuple[Path, Path]:
    """Writes conf/data/NAME.yaml and conf/grid/NAME.yaml below ``root`` and gives their paths, relative to it."""
    if not (root / "conf" / "config.yaml").is_file():
        raise CxrbenchError(f"{root} has no conf/config.yaml; run from the folder that holds dvc.yaml")
    if not NAME.fullmatch(name) or name in TAKEN:
        other = ", ".join(TAKEN)
        raise CxrbenchError(f"--name {name!r} must be letters from a to z, digits, '-' and '_', and not {other}")
    files = Path("conf", "data", f"{name}.yaml"), Path("conf", "grid", f"{name}.yaml")
    for file in files:
        if (root / file).exists() and not (replace and MADE in (root / file).read_text(encoding="utf-8")):
            way = "" if replace else ", or write it anew by --replace"
            raise CxrbenchError(f"{file} is there already; give the study another --name{way}")
    lines = [f"    {key}: {_scalar(value)}{WHY.get(key, '')}" for key, value in cohort.items()]
    for file, text in zip(files, (DATA, GRID)):
        write_text(root / file, text.replace("MADE", MADE).replace("NAME", name).replace("COHORT", "\n".join(lines)))
    return files


def _scalar(value: str | Mapping[str, str]) -> str:
    """A text as YAML in double quotes, or a mapping of texts, which OmegaConf then takes as it is."""
    return json.dumps(value, ensure_ascii=False).replace("${", "\\\\${")
