"""A trained view network on disk: the model file, and beside it a JSON file that says how to use it.

Image size, way of resizing, loss form and abstain band belong to a network as its weights do. The checksum in the
JSON file ties the two together, so that a model of another run, or half a copy, is not taken for it.
"""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import replaced_when_whole, sha256_of, write_text
from cxrbench.base.workspace import workspace_root
from cxrbench.config.loss_forms import LOSS_FORMS
from cxrbench.images.decode import RESIZES
from cxrbench.views.network import Network

TrainedOn = dict[str, dict[str, dict[str, int]]]  # cohort -> part -> view -> images


@dataclasses.dataclass(frozen=True)
class ViewModel:
    """A view network and how to use it; it gives P(frontal) of grey squares."""

    path: Path
    loss: str  # its form says which output is P(frontal)
    image_size: int  # pixels, square
    resize: str  # squash | pad | trim: as it learnt
    abstain: tuple[float, float]  # P(frontal) from the first up to the second: no view
    run: str  # fingerprint in the run store; of a mean, all of them
    trained_on: TrainedOn
    sha256: str = ""  # of the model file

    def resize_for(self, cohort: str | None) -> str:
        """How to resize a film of ``cohort``, None for any other source: a teacher's as it was learnt."""
        return self.resize if cohort in self.trained_on else resize_elsewhere(self.resize)

    @property
    def network(self) -> Network:
        return Network((self.path,), self.loss, self.image_size, "run 'dvc repro -f view-filter'")

    @property
    def origin(self) -> str:
        """Which network this is and what it learnt from, in words."""
        learnt = [
            f"{' and '.join(f'{count:,} {view}' for view, count in parts['train'].items())} images of {cohort}"
            for cohort, parts in self.trained_on.items()
        ]
        return f"view network {self.run}, trained on {', '.join(learnt) or 'nothing'}"


def resize_elsewhere(learnt: str) -> str:
    """How to resize films of sources that did not teach a network which learnt from images resized as ``learnt``.

    Archives add even margins that it may never have seen, so they are cut off: of 257 real frontal films in a black
    margin a network taught by phantoms calls 64 to 106 lateral, and 8 to 14 of the same films without it
    (benchmarks/view_quality.py). A teacher's own are not: the empty air beside a body tells views apart.
    """
    return "trim" if learnt == "squash" else learnt


def default_path() -> Path:
    """Where the pipeline of the current workspace leaves its view network."""
    return workspace_root() / "data" / "view-filter" / "model.keras"


def save(trained: Path, model: ViewModel) -> ViewModel:
    """Copies the file ``trained`` to ``model.path`` and writes its JSON file; the model with its checksum."""
    with replaced_when_whole(model.path) as temporary:  # the old file may have other names, among registered models
        shutil.copyfile(trained, temporary)
    model = dataclasses.replace(model, sha256=sha256_of(model.path))
    fields = {name: value for name, value in dataclasses.asdict(model).items() if name != "path"}
    write_text(model.path.with_suffix(".json"), json.dumps(fields, indent=1) + "\n")
    return model


def load(path: Path) -> ViewModel:
    """The model in ``path``; CxrbenchError where a file is missing, damaged or belongs to another."""
    beside = _description_of(path)
    for file, what in ((path, "the view network"), (beside, f"which says how to use {path.name}")):
        if not file.is_file():
            raise CxrbenchError(
                f"{file}, {what}, does not exist; run 'dvc repro view-filter' to train one or give another with --model"
            )
    try:
        model = ViewModel(path=path, **json.loads(beside.read_text(encoding="utf-8")))
        low, high = model.abstain
        model = dataclasses.replace(model, abstain=(low, high))
        wrong = _wrong(model)
        _ = model.origin
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        wrong = repr(error)
    if wrong:
        raise CxrbenchError(f"{beside} does not describe a view network ({wrong}); run 'dvc repro -f view-filter'")
    if (found := sha256_of(path)) != model.sha256:
        raise CxrbenchError(
            f"{path} is not the file that {beside.name} describes: its sha256 is {found[:12]}..., the description has"
            f" {model.sha256[:12]}...; copy both files anew or run 'dvc repro -f view-filter'"
        )
    return model


def _description_of(path: Path) -> Path:
    """NAME.json beside the model NAME.keras; of a model of any other name also its whole name with .json behind."""
    behind = path.with_name(f"{path.name}.json") if path.name else path
    without_ending = path.with_suffix(".json") if path.suffix else behind
    return behind if behind.is_file() or without_ending == path else without_ending


def _wrong(model: ViewModel) -> str:
    """What a description cannot say; empty where all is well."""
    low, high = model.abstain
    checks: dict[str, tuple[Any, bool]] = {
        "loss": (model.loss, model.loss in LOSS_FORMS),
        "image_size": (model.image_size, isinstance(model.image_size, int) and 0 < model.image_size <= 4096),
        "resize": (model.resize, model.resize in RESIZES),
        "abstain": (model.abstain, 0 <= low <= high <= 1),
        "sha256": (model.sha256, isinstance(model.sha256, str)),
    }
    return "; ".join(f"{name} is {value!r}" for name, (value, right) in checks.items() if not right)
