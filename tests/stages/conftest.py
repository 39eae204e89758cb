"""A workspace whose runs are simulated scores: every file that evaluate and report read, made in a moment."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from PIL import Image

from cxrbench.base.files import write_text
from cxrbench.base.tables import PROTOCOLS, TABLES, empty, write_table

REPO = Path(__file__).resolve().parents[2]
LEAK = "pneumonia, paper protocol, which divides images and not patients: no two parts share a patient (strict reading)"
SKILL = {  # setting -> distance of the classes' scores in units of their spread; anything else has 2.0
    "lr=0.1": 0.0,
    "lr=0.01": 1.5,
    "lr=0.0001": 1.8,
    "protocol=patient": 1.8,
    "protocol=official": 1.6,
    "hide=lungs": 1.0,
    "before": 0.8,
    "after": 1.8,
    "base": 4.0,
}


@pytest.fixture(scope="session")
def workspace_up_to(shared_folder):
    """Copies a small workspace up to 'train-grid', 'evaluate' or 'report' to a folder; made once for all processes."""
    from cxrbench.stages import evaluate, report

    stages = {"evaluate": ("train-grid", evaluate.main), "report": ("evaluate", report.main)}

    def whole(stage):
        folder = shared_folder / f"simulated-up-to-{stage}"
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                making = shared_folder / f"simulated-{stage}"
                if stage in stages:
                    before, run = stages[stage]
                    shutil.copytree(whole(before), making)
                    with pytest.MonkeyPatch.context() as patch:
                        patch.chdir(making)
                        run()
                else:
                    making.mkdir()
                    make(making, share=0.05)
                making.rename(folder)
        return folder

    return lambda stage, folder: shutil.copytree(whole(stage), folder, dirs_exist_ok=True)


@pytest.fixture
def simulated_workspace(workspace_up_to, tmp_path, monkeypatch):
    """A small workspace up to train-grid, as the current folder."""
    workspace_up_to("train-grid", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def evaluated_workspace(workspace_up_to, tmp_path_factory):
    """A workspace up to evaluate, for the tests of a module, which only read it."""
    return workspace_up_to("evaluate", tmp_path_factory.mktemp("evaluated"))


@pytest.fixture(scope="module")
def reported_workspace(workspace_up_to, tmp_path_factory):
    """A workspace with its report, for the tests of a module, which only read it."""
    return workspace_up_to("report", tmp_path_factory.mktemp("reported"))


def files_of(folder: Path) -> dict[Path, bytes]:
    """The content of every file below ``folder``, by its path in it."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make(folder: Path, share: float = 1.0) -> None:
    """Fills ``folder`` as the stages up to train-grid would; ``share`` of the quotas' images."""
    from cxrbench.config.params import load
    from cxrbench.config.quotas import total
    from cxrbench.evaluation.study_settings import StudySetting, write_settings

    if not (folder / "params.yaml").exists():
        shutil.copy(REPO / "params.yaml", folder / "params.yaml")
    shutil.copytree(REPO / "data" / "published", folder / "data" / "published")
    params = load(folder / "params.yaml")
    rng = np.random.default_rng(0)
    sizes = {
        name: {
            part: {label: max(4, round(n * share)) for label, n in counts.items()} for part, counts in quotas.items()
        }
        for name, quotas in {**params.split.quotas, "views": total(params.views.quotas.values())}.items()
    }
    images = {name: _images(name, counts, rng) for name, counts in sizes.items()}
    assignment = pd.concat(images.values(), ignore_index=True)
    write_table(folder / "data/split/assignment.csv", assignment[list(TABLES["assignment"])], "assignment")
    redrawn = _redrawn({name: images[name] for name in params.split.quotas}, params.redrawn_seeds)
    write_table(folder / "data/split/redrawn.csv", redrawn, "redrawn")
    _around(folder, np.random.default_rng(1))
    settings: dict[str, dict[str, StudySetting]] = {}
    for planned in params.planned_runs():
        settings.setdefault(planned.study, {})[planned.label] = StudySetting(planned.setting.model_dump())
    rows, made = [], set()
    for name, study in params.studies.items():
        for label, _ in study.compared:
            for seed in params.seeds:
                cohort = study.overrides.get("cohort", "pneumonia")
                own_split = settings[name][label].setting["redraw"]
                seen = images[cohort]
                if own_split:
                    of_seed = redrawn[(redrawn["cohort"] == cohort) & (redrawn["seed"] == seed)]
                    seen = seen.drop(columns=list(PROTOCOLS)).merge(of_seed.drop(columns="seed"))
                shared = not own_split and label in (
                    "hide=nothing",
                    "redraw=False",
                    "lr=0.001",
                    "batch_size=32",
                    "loss=binary_crossentropy",
                    "protocol=paper",
                )
                run = f"{'reference' if shared else name + '-' + label}-{seed}".replace("=", "-")
                rows.append([name, label, seed, run])
                if run not in made:
                    made.add(run)
                    _run(folder / "data/train-grid" / run, seen, label, seed, rng, own_split)
    write_settings(folder / "data/train-grid/settings.json", settings)
    write_table(folder / "data/train-grid/grid.csv", pd.DataFrame(rows, columns=list(TABLES["grid"])), "grid")


def _images(cohort: str, sizes: dict, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for part, counts in sizes.items():
        for target, (label, n) in enumerate(counts.items()):
            for i in range(n):
                name = f"{part}-{label}-{i}"
                rows.append(
                    [
                        cohort,
                        cohort,
                        name,
                        f"{name}.png",
                        name,
                        f"{part}{label}{i // 2}",
                        label,
                        target,
                        part,
                        part,
                        part,
                    ]
                )
    return pd.DataFrame(rows, columns=list(TABLES["assignment"]))


def _redrawn(images: dict[str, pd.DataFrame], seeds: tuple[int, ...]) -> pd.DataFrame:
    """The parts shuffled among the images of each label, anew for each seed."""
    rows = [empty("redrawn")]
    for cohort, table in images.items():
        for seed in seeds:
            rng = np.random.default_rng([len(cohort), seed])
            parts = table.groupby("label", sort=False)["paper"].transform(rng.permutation)
            rows.append(table[["cohort", "source", "image_id"]].assign(seed=seed, **dict.fromkeys(PROTOCOLS, parts)))
    return pd.concat(rows)


def _run(
    folder: Path, images: pd.DataFrame, setting: str, seed: int, rng: np.random.Generator, own_split: bool
) -> None:
    seen = images[images["paper"] != "train"]
    skill = SKILL.get(setting, 2.0) + rng.normal(0, 0.15)
    hardness = np.random.default_rng(7).normal(0, 0.8, len(images))[: len(seen)]  # shared by all settings
    logit = skill * (2 * seen["target"] - 1) / 2 * 2 + hardness * 1.4 + rng.normal(0, 0.7, len(seen))
    score = 1 / (1 + np.exp(-logit))
    if setting == "lr=0.1":
        score = np.full(len(seen), 0.7 + 0.01 * seed)
    diverged = setting == "loss=binary_focal_crossentropy" and seed == 1
    score = np.full(len(seen), np.nan) if diverged else score
    table = seen[["source", "image_id", "patient_id", "target"]].assign(part=seen["paper"], score=score)
    write_table(folder / "scores.csv", table[list(TABLES["scores"])], "scores")
    epochs = np.arange(1, 9)
    loss = 0.6 * np.exp(-epochs * (0.1 + skill / 12)) + rng.uniform(0, 0.03, 8)
    history = {
        "epoch": epochs,
        "loss": loss,
        "accuracy": 1 - loss / 2,
        "val_loss": loss * 1.2,
        "val_accuracy": 1 - loss * 0.55,
    }
    write_table(folder / "history.csv", pd.DataFrame(history).assign(seconds=2.0), "history")
    batch = int(setting.split("=")[1].split(",")[0]) if setting.startswith("batch_size") else 32
    seconds = 2 + 20 / batch + rng.uniform(0, 0.1)
    record = {
        "run": folder.name,
        "setting": {
            "cohort": str(images["cohort"].iloc[0]),
            "protocol": "paper",
            **({"redraw": True} if own_split else {}),
        },
        "seed": seed,
        "status": "diverged" if diverged else "ok",
        "first_epoch_seconds": seconds + 3,
        "train_seconds": 60.0,
        "epoch_seconds": seconds,
        "timing": {"machine": "simulated", "threads": 2, "workers": 2, "alone": True},
        "environment": {"keras": "3", "backend": "tensorflow", "processor": "simulated"},
        "data": {"sha256": "a" * 64, **images["paper"].value_counts().sort_index().to_dict()},
    }
    write_text(folder / "run.json", json.dumps(record))


def _around(folder: Path, rng: np.random.Generator) -> None:
    leak = [
        ["pneumonia", "paper", "parts", "train", "test", "patient, strict", 31, 44, "p1 p7"],
        ["pneumonia", "paper", "parts", "train", "validation", "patient, strict", 1250, 1800, "p2"],
        ["pneumonia", "official", "parts", "validation", "test", "identical file", 2, 2, "a b"],
        ["pneumonia", "", "labels", "normal", "pneumonia", "near-duplicate", 1, 2, "c d"],
    ]
    pair = ["pneumonia", "train-normal-0", "train-normal-1", "near-duplicate", 4, 0.98, 1]
    features = ("file size", "pixel area", "aspect ratio", "colour mode", "mean brightness", "border")
    shortcuts = [
        ["pneumonia", protocol, feature, 25, value]
        for protocol in PROTOCOLS
        for feature, value in zip(features, (0.92, 0.6, 0.24, 0.5, np.nan, 0.55))
    ]
    for name, rows in (("leaks", leak), ("duplicates", [pair]), ("shortcuts", shortcuts)):
        write_table(folder / f"data/split/{name}.csv", pd.DataFrame(rows, columns=list(TABLES[name])), name)
    write_table(folder / "data/download/rejects.csv", empty("rejects"), "rejects")
    write_text(folder / "data/view-filter/metrics.json", "{}")
    _review(folder, rng)
    outcome = {"severity": "warning", "table": "leaks", "check": LEAK, "rows": 31}
    verdict = {
        "passed": True,
        "checks": 24,
        "critical_failures": 0,
        "warnings": 1,
        "outcomes": [{**outcome, "passed": False}],
    }
    write_text(folder / "data/validate/verdict.json", json.dumps(verdict))


def _review(folder: Path, rng: np.random.Generator) -> None:
    """The review list with its images; one of them is no image."""
    (folder / "images").mkdir()
    rows = []
    for i in range(60):
        path, known = f"images/{i:02}.png", i % 3 == 0
        Image.fromarray(rng.integers(0, 256, (60, 40 + i), dtype="uint8")).save(folder / path)
        reason = "the network disagrees with the metadata" if known else "the network abstains"
        rows.append(["pneumonia", f"image-{i:02}", path, "lateral" if known else "", 0.9 if known else i / 60, reason])
    (folder / rows[0][2]).write_text("no image")
    write_table(folder / "data/view-filter/review.csv", pd.DataFrame(rows, columns=list(TABLES["review"])), "review")
