"""A finished experiment as one folder of small files, from which its report is made again: results/NAME.

It holds what the report is made from and no image: each run's record, history and score of every image, the tables of
the split, the checks and params.yaml. Names of images and patients are those of the source; paths stay here. Each file
stands with its checksum in pack.json.
"""

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import sha256_of, write_text
from cxrbench.base.origins import read_origins, write_origins
from cxrbench.base.tables import TABLES, empty, read_table, table_text, write_table
from cxrbench.evaluation.comparisons import Rules
from cxrbench.evaluation.runs import metric_table
from cxrbench.evaluation.study_settings import read_settings, write_settings
from cxrbench.reporting.context import Context
from cxrbench.reporting.results import Results

FORM = 1  # of the folder; another one is not read
INDEX, RECORDS, CHECKS, HISTORIES = "pack.json", "records.json", "checks.json", "histories.csv.gz"
SPLIT = ("assignment", "leaks", "duplicates", "shortcuts", "rejects")
KEPT = (*SPLIT, "attention")  # tables; a pack of an earlier version has no attention
REDRAWN = ("redrawn", "redrawn_leaks")  # files that are there only where splits were drawn anew
IMAGE = ["source", "image_id", "patient_id", "part", "target"]  # of a score, all but the score
PLAIN: dict[str, Any] = {"index": False, "lineterminator": "\n"}


def refuse_filled(folder: Path) -> None:
    """Raises CxrbenchError where ``folder`` holds something already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CxrbenchError(f"{folder} is not empty; name a new folder or remove it first")


def write_pack(folder: Path, results: Results, context: Context, rules: Rules, params: str) -> None:
    """Writes ``results`` into the new ``folder``, with the text of params.yaml.

    Raises CxrbenchError where it holds something already, or images of a restricted cohort were used.
    """
    _refuse_restricted(results, context)
    refuse_filled(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "params.yaml", without_folders(params))
    write_table(folder / "grid.csv", results.grid, "grid")
    write_settings(folder / "settings.json", results.settings)
    write_text(folder / CHECKS, json.dumps({"checks": results.checks, "view_filter": results.view_filter}, indent=1))
    write_origins(folder, results.origins)
    for name in KEPT:
        table: pd.DataFrame = getattr(results, name)
        without_paths = table.assign(path="") if "path" in table else table
        _write_gzip(folder / f"{name}.csv.gz", table_text(without_paths, name))
    for name in REDRAWN:
        if not getattr(results, name).empty:
            _write_gzip(folder / f"{name}.csv.gz", table_text(getattr(results, name), name))
    histories = [table.assign(run=run) for run, table in results.histories.items()]
    _write_gzip(folder / HISTORIES, pd.concat(histories).to_csv(float_format="%.9g", **PLAIN))
    records = {run: record for run, (record, _) in results.runs.items()}
    write_text(folder / RECORDS, json.dumps(records, indent=0) + "\n")
    for number, scores in enumerate(_by_images(results)):
        _write_gzip(folder / f"scores-{number}.csv.gz", scores.to_csv(float_format="%.9g", **PLAIN))
    files = sorted(path.name for path in folder.iterdir() if path.name != INDEX)
    told = {
        "form": FORM,
        "command": context.command,
        "context": {
            "profile": context.profile,
            "sources": dict(context.sources),
            "language": context.language,
            "commit": context.commit,
            "changed": context.changed,
        },
        "rules": vars(rules),
        "sha256": {name: sha256_of(folder / name) for name in files},
    }
    write_text(folder / INDEX, json.dumps({**told, "own": _own_sum(told)}, indent=1) + "\n")


def without_folders(params: str) -> str:
    """The text of params.yaml in which a cohort's root is the name of its folder alone."""

    def rename(tree: Any) -> None:
        for cohort in tree.get("cohorts", {}).values():
            if cohort.get("root"):
                cohort["root"] = Path(cohort["root"]).name

    return _edited(params, rename)


def of_seeds(params: str, seeds: Sequence[int]) -> str:
    """The text of params.yaml with these seeds."""
    return _edited(params, lambda tree: tree.update(seeds=[*seeds]))


def _edited(params: str, edit: Callable[[Any], None]) -> str:
    yaml, text = YAML(), io.StringIO()
    tree = yaml.load(params)
    edit(tree)
    yaml.dump(tree, text)
    return text.getvalue()


def read_pack(folder: Path) -> tuple[Results, Context, Rules]:
    """What ``write_pack`` wrote; raises CxrbenchError where a file is missing or was changed."""
    told = _index(folder)
    for name, wanted in told["sha256"].items():
        if not (folder / name).is_file() or sha256_of(folder / name) != wanted:
            raise CxrbenchError(f"{folder / name} is missing or was changed; fetch the folder again")
    grid = read_table(folder / "grid.csv", "grid")
    records = json.loads((folder / RECORDS).read_text(encoding="utf-8"))
    scores = _scores(folder)
    if absent := sorted(set(records) - set(scores)):
        raise CxrbenchError(f"{folder} holds no scores of run {absent[0]}; fetch the folder again")
    runs = {run: (records[run], scores[run]) for run in records}
    together = pd.read_csv(folder / HISTORIES, dtype={"run": "str"}, float_precision="round_trip")
    histories = {str(run): table.drop(columns="run").reset_index(drop=True)
                 for run, table in together.groupby("run", sort=False)}  # fmt: skip
    if absent := sorted(set(grid["run"]) - set(histories)):
        raise CxrbenchError(f"{folder / HISTORIES} holds no epoch of run {absent[0]}; fetch the folder again")
    checks = json.loads((folder / CHECKS).read_text(encoding="utf-8"))
    there = [name for name in (*KEPT, *REDRAWN) if name in SPLIT or f"{name}.csv.gz" in told["sha256"]]
    tables = {name: read_table(folder / f"{name}.csv.gz", name) for name in there}
    results = Results(
        settings=read_settings(folder / "settings.json"),
        grid=grid,
        runs=runs,
        histories=histories,
        metrics=metric_table(grid, runs),
        review=empty("review"),
        origins=read_origins(folder),
        **checks,
        **tables,
    )
    return results, Context(restricted=(), command=told["command"], **told["context"]), Rules(**told["rules"])


def _index(folder: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CxrbenchError(f"{folder} holds no {INDEX}; name a folder that 'cxrbench pack' wrote") from None
    except ValueError as error:
        raise CxrbenchError(f"{folder / INDEX} is damaged ({error}); fetch the folder again") from None
    if not isinstance(told, dict) or told.get("form") != FORM:
        raise CxrbenchError(f"{folder / INDEX} is not of form {FORM}, which this version reads; use the other version")
    if told.pop("own", "") != _own_sum(told):
        raise CxrbenchError(f"{folder / INDEX} was changed; fetch the folder again")
    return told


def _own_sum(told: dict[str, Any]) -> str:
    """The checksum of pack.json but for itself."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _refuse_restricted(results: Results, context: Context) -> None:
    used = {source for _, scores in results.runs.values() for source in scores["source"].unique()}
    used |= set(results.assignment["source"]) | set(results.rejects["cohort"])
    if held := sorted(used & set(context.restricted)):
        raise CxrbenchError(
            f"cohorts {', '.join(held)} are restricted: names of their images and patients may not be handed on;"
            " pack an experiment without them"
        )


def _by_images(results: Results) -> list[pd.DataFrame]:
    """The scored images of all runs that scored the same, with a column of scores for each of these runs."""
    found: list[tuple[pd.DataFrame, dict[str, pd.Series]]] = []
    for run, (_, table) in results.runs.items():
        images = table[IMAGE].reset_index(drop=True)
        columns = next((scores for known, scores in found if known.equals(images)), None)
        if columns is None:
            columns = {}
            found.append((images, columns))
        columns[run] = table["score"].reset_index(drop=True)
    return [pd.concat([images, pd.DataFrame(columns)], axis=1) for images, columns in found]


def _scores(folder: Path) -> dict[str, pd.DataFrame]:
    """Run -> its table 'scores'."""
    scores = {}
    texts = {name: "str" for name in IMAGE if TABLES["scores"][name] == "str"}
    for path in sorted(folder.glob("scores-*.csv.gz")):
        # A reader that takes 'NA' for a missing value would lose a patient of that name; NaN is a score's.
        found = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[], float_precision="round_trip")
        for run in found.columns[len(IMAGE) :]:
            scores[run] = found[IMAGE].assign(score=found[run].replace("", "nan").astype("float64"))
    return scores


def _write_gzip(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))  # the same bytes whenever it is packed
