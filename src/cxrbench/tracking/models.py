"""Networks in MLflow: a logged model for each run, and in the registry what is best in a study.

An alias goes to a better model alone. Which value it was chosen by stands in the tags of its version, so that a later
experiment, or a store made anew, compares with it.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cxrbench.tracking import logged
from cxrbench.tracking.logged import Choice, Network
from cxrbench.tracking.model_folder import write_model_folder
from cxrbench.tracking.model_name import model_name
from cxrbench.tracking.opening import local_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run
    from mlflow.entities.model_registry import ModelVersion


class Models:
    """The models of the store that ``client`` talks to."""

    def __init__(self, client: "MlflowClient") -> None:
        self._client = client

    def log(self, run: "Run", name: str, network: Network, tags: Mapping[str, str]) -> str:
        """Logs ``network`` as the model of ``run``; its id."""
        from mlflow.entities import LoggedModelOutput

        own = logged.parameters(network.setting)
        model = self._client.create_logged_model(
            run.info.experiment_id, logged.logged_model_name(name), run.info.run_id, dict(tags), own, "keras"
        )
        place = local_folder(model.artifact_location)
        if place:  # written in its place, the network's file is no copy
            place.parent.mkdir(parents=True, exist_ok=True)
            write_model_folder(place, network, run.info.run_id, model.model_id)
        else:
            with tempfile.TemporaryDirectory() as temporary:
                target = Path(temporary) / "model"
                write_model_folder(target, network, run.info.run_id, model.model_id)
                self._client.log_model_artifacts(model.model_id, str(target))
        self._client.finalize_logged_model(model.model_id, "READY")
        self._client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, 0)])
        return str(model.model_id)

    def of(self, run: "Run") -> "LoggedModel | None":
        """The model that ``run`` logged."""
        where = f"source_run_id = '{run.info.run_id}'"
        found = self._client.search_logged_models([run.info.experiment_id], where)
        return found[0] if found else None

    def discard(self, run: "Run") -> None:
        """Deletes ``run``, whose logging ended too early, and its model."""
        if model := self.of(run):
            self._client.delete_logged_model(model.model_id)
        self._client.delete_run(run.info.run_id)

    def aliased(self, study: str, alias: str) -> "ModelVersion | None":
        """The version of the study's registered model that has the ``alias``; None where its files are gone."""
        name = model_name(study)
        found = self._client.search_registered_models(f"name = '{name}'")
        if not found or alias not in found[0].aliases:
            return None
        version = self._client.get_model_version(name, str(found[0].aliases[alias]))
        place = local_folder(str(version.source))
        return None if place and not place.exists() else version

    def promote(
        self, alias: str, choice: Choice, tags: Mapping[str, str], logged_by: "Callable[[], Run]", note: str
    ) -> bool:
        """Gives ``alias`` to a model, unless the one that has it is as good; whether it did.

        ``logged_by`` gives the run that logged the model. ``tags`` name it: of two versions with the same there is
        only one.
        """
        present, name = self.aliased(choice.study, alias), model_name(choice.study)
        if present and not choice.beats(present.tags):
            return False
        if not self._client.search_registered_models(f"name = '{name}'"):
            self._client.create_registered_model(name, description=f"What is best in study {choice.study}.")
        run = logged_by()
        versions = self._client.search_model_versions(f"name = '{name}'")
        same = [v for v in versions if tags.items() <= v.tags.items() and v.run_id == run.info.run_id]
        all_tags = {**tags, **choice.tags()}
        if same:
            version = same[0].version
            for key, value in all_tags.items():
                self._client.set_model_version_tag(name, version, key, value)
        else:
            model = self.of(run)
            assert model is not None  # whoever calls has logged it
            version = self._client.create_model_version(
                name, model.artifact_location, run.info.run_id, all_tags, description=note, model_id=model.model_id
            ).version
        self._client.set_registered_model_alias(name, alias, str(version))
        return True
