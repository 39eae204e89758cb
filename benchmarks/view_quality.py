"""How well the view network tells frontal from lateral on real images, by patient-grouped cross-validation.

Takes the recipe that conf/ gives data=mimic and trains it with the package's own runs, each seed on each fold: a
fold's patients are seen by no network that judges them. Then the default recipe, which sees phantoms alone. Both judge
the real images as they are and as copies that archives hold: negatives, margins, other aspect ratios. Prints Markdown;
--gallery writes the hard cases as a page with thumbnails, for local use: it holds pixels of the tree.

    python benchmarks/view_quality.py --root TREE [--frontal-only FOLDER] [--gallery FILE] [KEY=VALUE ...]

TREE is laid out as MIMIC-CXR-JPG; of its images those of known view are used. KEY=VALUE changes the recipe, e.g.
views.setting.augment=paper. About 12 minutes on two cores.
"""

import argparse
import functools
import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from PIL import Image, ImageOps

from cxrbench.base.tables import PROTOCOLS, TABLES
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.phantom.tree import write_tree
from cxrbench.cohorts.reader import find
from cxrbench.config import params
from cxrbench.config.setting import Setting, replace
from cxrbench.config.studies import PlannedRun
from cxrbench.evaluation.metrics import weighted_auc
from cxrbench.images import decode
from cxrbench.images.squares import grey_squares
from cxrbench.reporting import gallery
from cxrbench.runs.plan import train_missing
from cxrbench.runs.store import RunStore
from cxrbench.training import backend
from cxrbench.training.losses import probability_of_target
from cxrbench.views import sampling, stored

CONF = Path(__file__).parents[1] / "conf"
MARGIN = 0.15  # of the longer side, added on every side


def framed(film: Image.Image, level: int) -> Image.Image:
    return ImageOps.expand(film, round(MARGIN * max(film.size)), level)


def boxed(film: Image.Image, ratio: float) -> Image.Image:
    """The film in the middle of the least black canvas whose width is ``ratio`` times its height."""
    height = max(film.height, film.width / ratio)
    return ImageOps.pad(film, (round(ratio * height), round(height)), color=0)


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda film: film,
    "negative": ImageOps.invert,
    "black margin": lambda film: framed(film, 0),
    "white margin": lambda film: framed(film, 255),
    "negative in black margin": lambda film: framed(ImageOps.invert(film), 0),
    "in a 16:9 box": lambda film: boxed(film, 16 / 9),
    "in a 9:16 box": lambda film: boxed(film, 9 / 16),
    "1.6 times as wide": lambda film: film.resize((round(1.6 * film.width), film.height)),
    "turned by 10 degrees": lambda film: film.rotate(10, Image.Resampling.BILINEAR, expand=True),
    "middle 80 %": lambda film: ImageOps.crop(film, round(0.1 * min(film.size))),
}


def recipe(data: str, overrides: list[str]) -> params.Views:
    root = ["cohorts.pneumonia.root=unused"] if data == "mimic" else []
    with initialize_config_dir(str(CONF), version_base=None):
        tree = OmegaConf.to_container(compose("config", overrides=[f"data={data}", *root, *overrides]), resolve=True)
    return params.parse(tree).views


def folds_of(images: pd.DataFrame, folds: int) -> np.ndarray:
    """int [n]: the fold of each image, by whole patients; those with laterals are dealt out first, and evenly."""
    lateral = images["view"].eq("lateral").groupby(images["patient_id"]).any()
    shuffled = lateral.sample(frac=1, random_state=0).sort_values(ascending=False, kind="stable")
    fold = pd.Series(np.arange(len(shuffled)) % folds, index=shuffled.index)
    return images["patient_id"].map(fold).to_numpy()


def fold_table(taught: pd.DataFrame, images: pd.DataFrame, held_out: np.ndarray) -> pd.DataFrame:
    """An assignment table: phantoms in their parts, real images of other folds to train, those held out to test.

    Column source says which cohort an image is of: views are balanced inside each.
    """
    part = np.where(held_out, "test", "train")
    own = images.assign(label=images["view"], target=images["view"].map(sampling.TARGET))
    own = own.assign(**dict.fromkeys(PROTOCOLS, part))
    return pd.concat([taught, own.assign(source=own["cohort"], cohort="views")])[list(TABLES["assignment"])]


def copies_of(images: pd.DataFrame, setting: Setting, work: Path) -> dict[str, Path]:
    """name of a copy -> the array of all images changed so, in their order; each copy was a file once."""
    arrays = {}
    for number, (name, change) in enumerate(COPIES.items()):
        paths = [work / "copies" / f"{number}-{place}.png" for place in range(len(images))]
        for source, path in zip(images["path"], paths):
            path.parent.mkdir(exist_ok=True)
            change(decode.decode(source, at_least_px=4 * setting.image_size)).save(path, compress_level=1)
        arrays[name] = array_of([str(path) for path in paths], setting, work)
    return arrays


def array_of(paths: list[str], setting: Setting, work: Path) -> Path:
    sums = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths]
    return grey_squares(paths, sums, setting.image_size, setting.resize, work / "arrays", 2, lambda steps, detail: None)


def judged(folders: list[Path], array: Path, chosen: np.ndarray | slice = slice(None)) -> np.ndarray:
    """P(frontal), float64 [runs, n], of the chosen images of an array."""
    images = np.load(array, mmap_mode="r")[chosen]
    return np.stack(
        [
            probability_of_target("binary_crossentropy", model_of(folder).predict(images, batch_size=256, verbose=0))
            for folder in folders
        ]
    )


@functools.cache
def model_of(folder: Path) -> Any:
    import keras

    return keras.models.load_model(folder / "model.keras", compile=False)


def table(scores: dict[str, np.ndarray], target: np.ndarray, band: tuple[float, float]) -> str:
    """Markdown of copy -> scores [seeds, n]: errors of each seed and of their mean, what the abstain band leaves."""
    held = f"copy of {int(target.sum())} frontal, {int((1 - target).sum())} lateral"
    errors = "frontal called lateral, by seed; their mean | lateral called frontal | AUC, of the mean"
    lines = [f"| {held} | {errors} | abstained ({band[0]:g} to {band[1]:g}) | errors left outside |", "|---" * 6 + "|"]
    for name, by_seed in scores.items():
        score = np.vstack([by_seed, by_seed.mean(axis=0)])
        low, high = score < band[0], score >= band[1]
        cells = [
            ((score < 0.5) & (target == 1)).sum(axis=1),
            ((score >= 0.5) & (target == 0)).sum(axis=1),
            float(weighted_auc(target, score[-1], np.ones((1, len(target))))[0]),
            (~low & ~high).sum(axis=1),
            ((low & (target == 1)) | (high & (target == 0))).sum(axis=1),
        ]
        shown = [f"{cell:.4f}" if isinstance(cell, float) else ", ".join(map(str, cell)) for cell in cells]
        shown = ["-" if cell == "nan" else cell for cell in shown]  # no AUC of one class
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def write_gallery(path: Path, images: pd.DataFrame, score: np.ndarray, target: np.ndarray, fold: np.ndarray) -> None:
    """The images whose mean score over the seeds is furthest from their view, the hardest first."""
    error = np.abs(score - target)
    items = []
    for place in np.argsort(-error)[:48]:
        row = images.iloc[place]
        caption = f"{row['view']}; P(frontal) {score[place]:.3f}, held out in fold {fold[place]}"
        items.append(gallery.Item(row["path"], row["image_id"], caption))
    shown = gallery.gallery(
        "Hard cases", "Hardest first, by the mean score of networks that saw no such patient.", items
    )
    path.write_text(gallery.page("View network: hard cases", "Real images: for local use.", [shown]), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="a folder laid out as MIMIC-CXR-JPG")
    parser.add_argument("--frontal-only", type=Path, help="a folder of class folders whose images are all frontal")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--gallery", type=Path, help="where to write the page of hard cases; see above")
    parser.add_argument("--work", type=Path, help="keeps phantoms and runs for the next time; else a temporary folder")
    parser.add_argument("overrides", nargs="*", help="KEY=VALUE, as of dvc exp run -S")
    given = parser.parse_args()
    started = time.monotonic()
    work = given.work or Path(tempfile.mkdtemp())
    compare(given, work)
    print(f"\n{time.monotonic() - started:.0f} s")


def compare(given: argparse.Namespace, work: Path) -> None:
    real, _ = ingest("pneumonia", find("mimic_cxr", given.root).images, 2)
    real = real[real["view"] != ""].reset_index(drop=True)
    fold = folds_of(real, given.folds)
    mixed, alone = recipe("mimic", given.overrides), recipe("phantom", given.overrides)
    folders = trained(real, fold, mixed, alone, range(given.seeds), work)
    backend.start(2)
    words = " ".join(given.overrides)
    print(f"\n## {given.folds} folds by patient, data=mimic {words}\n\n{mixed.setting}\n")
    scores = held_out_scores(real, fold, mixed.setting, folders, work)
    target = real["view"].map(sampling.TARGET).to_numpy()
    print(table(scores, target, mixed.abstain))
    if given.gallery:
        write_gallery(given.gallery, real, scores["as it is"].mean(axis=0), target, fold)

    print(f"\n## Phantoms alone, data=phantom {words}\n\n{alone.setting}\n")
    elsewhere = replace(alone.setting, {"resize": stored.resize_elsewhere(alone.setting.resize)})
    for setting in (alone.setting, elsewhere):
        arrays = copies_of(real, setting, work)
        print(f"\nReal films, resize {setting.resize}:\n")
        print(table({name: judged(folders["alone"], a) for name, a in arrays.items()}, target, alone.abstain))

    if given.frontal_only:
        others, _ = ingest("others", find("directory", given.frontal_only, None, "frontal").images, 2)
        print(f"\n## {given.frontal_only.name}, all frontal\n")
        for name, setting in (("fold 0", mixed.setting), ("alone", elsewhere)):
            array = array_of(others["path"].tolist(), setting, work)
            print(table({name: judged(folders[name], array)}, np.ones(len(others)), mixed.abstain) + "\n")


def trained(
    real: pd.DataFrame, fold: np.ndarray, mixed: params.Views, alone: params.Views, seeds: range, work: Path
) -> dict[str, list[Path]]:
    """'fold K', or 'alone' for phantoms alone -> the folder of each seed's run; runs that ``work`` holds are kept."""
    if not (work / "phantom" / "files").is_dir():
        write_tree(work / "phantom", "pneumonia", 0.2, 160, 0)
    phantom, _ = ingest("phantom", find("mimic_cxr", work / "phantom").images, 2)
    taught = sampling.assign(phantom, {"phantom": mixed.quotas["phantom"]}, mixed.seed)
    taught = taught[taught[mixed.setting.protocol] != "test"]
    store = RunStore(work / "runs")

    def runs_of(name: str, setting: Setting, assignment: pd.DataFrame) -> list[Path]:
        cells = [PlannedRun("view-quality", name, setting, seed) for seed in seeds]
        return [store.path(run) for run in train_missing(cells, assignment, store, work / "arrays", 2)]

    folders = {}
    for number in sorted(set(fold)):
        name = f"fold {number}"
        folders[name] = runs_of(name, mixed.setting, fold_table(taught, real, fold == number))
    only = sampling.assign(phantom, {"phantom": alone.quotas["pneumonia"]}, alone.seed)
    return folders | {"alone": runs_of("alone", alone.setting, only)}


def held_out_scores(
    real: pd.DataFrame, fold: np.ndarray, setting: Setting, folders: dict[str, list[Path]], work: Path
) -> dict[str, np.ndarray]:
    """copy -> P(frontal) [seeds, n], each image judged by networks that saw no image of its patient."""
    scores = {}
    for name, array in copies_of(real, setting, work).items():
        scores[name] = np.zeros((len(folders["fold 0"]), len(real)))
        for number in set(fold):
            scores[name][:, fold == number] = judged(folders[f"fold {number}"], array, fold == number)
    return scores


if __name__ == "__main__":
    main()
