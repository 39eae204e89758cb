"""Model cards in MLflow: beside each registered network as README.md, the first part as the version's description.

MLflow shows a description as Markdown and keeps 5,000 letters of it. A card of a restricted cohort holds counts of its
images and patients, so it goes where their pixels may go.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from cxrbench.tracking.locality import stay_here
from cxrbench.tracking.model_name import model_name
from cxrbench.tracking.opening import Store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

FILE = "README.md"  # among the files of a model
CARD = "card.sha256"  # the tag of a version that has one
WITHHELD = "withheld: the cohort is restricted, and this store may keep files off the machine that made the card"
MOST = 5000  # letters of a description
WHOLE = "\n\nThe whole card is README.md among the files of the model.\n"


def log_cards(store: Store, folder: Path) -> int:
    """Logs each card below ``folder`` whose network is registered; how many versions got a new one.

    The caller holds the store's lock. Raises what MLflow raises.
    """
    new = 0
    for path in sorted(folder.glob("*/*.md")):
        text = path.read_text(encoding="utf-8")
        told, body = parted(text)
        name, wanted = model_name(told["study"]), {key: told[key] for key in ("kind", "fingerprint")}
        for version in store.client.search_model_versions(f"name = '{name}'"):
            if wanted.items() <= version.tags.items():
                new += _log(store, version, text, body, bool(told["restricted"]))
    return new


def parted(text: str) -> tuple[dict[str, Any], str]:
    """What a card's front matter tells of its network, and the card without it."""
    _, front, body = text.split("---\n", 2)
    return dict(yaml.safe_load(front)["cxrbench"]), body.lstrip()


def description(body: str) -> str:
    """As many whole sections of a card as a description holds."""
    sections = body.split("\n## ")
    shown = sections[0]
    for section in sections[1:]:
        if len(shown) + len(section) + len(WHOLE) + 4 > MOST:
            break
        shown += f"\n## {section}"
    return shown.rstrip()[: MOST - len(WHOLE)] + WHOLE


def _log(store: Store, version: "ModelVersion", text: str, body: str, restricted: bool) -> bool:
    client, digest = store.client, hashlib.sha256(text.encode()).hexdigest()
    if restricted and not stay_here(store.uri, str(version.source)):
        digest = WITHHELD
    if version.tags.get(CARD) == digest:
        return False
    if digest != WITHHELD:
        with tempfile.TemporaryDirectory() as temporary:
            file = Path(temporary) / FILE
            file.write_text(text, encoding="utf-8")
            client.log_model_artifact(_model_of(store, str(version.run_id)), str(file))
        client.update_model_version(version.name, version.version, description(body))
    client.set_model_version_tag(version.name, version.version, CARD, digest)
    return digest != WITHHELD


def _model_of(store: Store, run: str) -> str:
    """The id of the model that ``run`` logged: a version that was searched for does not tell it."""
    experiment = store.client.get_run(run).info.experiment_id
    (model,) = store.client.search_logged_models([experiment], f"source_run_id = '{run}'")
    return str(model.model_id)
