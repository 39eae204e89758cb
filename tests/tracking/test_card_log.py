"""Model cards in MLflow: with the network that they speak of and no other, once, and never where they may not go."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cxrbench.tracking import card_log
from cxrbench.tracking.card_log import MOST, WHOLE, description, parted
from cxrbench.tracking.models import Models
from cxrbench.tracking.report_log import PAGE, attach
from tests.tracking.small_grid import Grid
from tests.tracking.tracked_runs import client


def card(told: dict[str, Any], body: str = "# A card\n\n> Not a medical device.\n\n## Limits\n\nMany.\n") -> str:
    return f"---\n{yaml.safe_dump({'cxrbench': told})}---\n\n{body}"


@pytest.fixture
def versions(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The registered models of a small grid, by kind; a report lies beside them."""
    grid = Grid(workspace, set(), monkeypatch)
    grid.train()
    grid.finish()
    reports = workspace / "reports"
    reports.mkdir()
    (reports / PAGE).write_text("<!doctype html>")
    (reports / "metrics.json").write_text("{}")
    return found(workspace)


def found(workspace: Path) -> dict[str, Any]:
    return {one.tags["kind"]: one for one in client(workspace).search_model_versions("name = 'cxrbench-rate'")}


def write(workspace: Path, version: Any, restricted: bool = False, **other: str) -> str:
    told = {"study": "rate", **{key: version.tags[key] for key in ("kind", "fingerprint")}, "restricted": restricted}
    text = card(told | other)
    path = workspace / "reports/cards/rate" / f"{version.tags['kind']}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return text


def files(workspace: Path, version: Any) -> list[str]:
    model = Models(client(workspace)).of(client(workspace).get_run(version.run_id))
    return [one.path for one in client(workspace).list_logged_model_artifacts(model.model_id)]


def test_each_card_lies_beside_its_network_and_is_its_versions_description(
    workspace: Path, versions: dict[str, Any]
) -> None:
    texts = {kind: write(workspace, version) for kind, version in versions.items()}
    assert set(texts) == {"run", "mean"}
    attach(workspace / "reports", ())
    places = {path.read_text(encoding="utf-8") for path in (workspace / "mlruns/artifacts").rglob("README.md")}
    assert places == set(texts.values())
    for version in found(workspace).values():
        assert "README.md" in files(workspace, version)
        assert "MLmodel" in files(workspace, version)
        assert version.description == "# A card\n\n> Not a medical device.\n\n## Limits\n\nMany." + WHOLE


def test_a_second_time_changes_nothing_and_another_card_takes_its_place(
    workspace: Path, versions: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(workspace, versions["run"])
    attach(workspace / "reports", ())
    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.log_model_artifact", lambda *_: 1 / 0)
        attach(workspace / "reports", ())
    path = workspace / "reports/cards/rate/run.md"
    path.write_text(path.read_text().replace("Many.", "More."))
    attach(workspace / "reports", ())
    assert "More." in found(workspace)["run"].description


def test_a_card_of_a_network_that_is_not_registered_goes_nowhere(workspace: Path, versions: dict[str, Any]) -> None:
    write(workspace, versions["run"], fingerprint="another")
    attach(workspace / "reports", ())
    assert not any("README.md" in files(workspace, version) for version in versions.values())


def test_a_restricted_cohorts_card_stays_on_this_machine(
    workspace: Path, versions: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(workspace, versions["run"], restricted=True)
    with monkeypatch.context() as patch:
        patch.setattr(card_log, "stay_here", lambda *_: False)
        attach(workspace / "reports", ())
        assert found(workspace)["run"].tags["card.sha256"].startswith("withheld")
        assert "README.md" not in files(workspace, versions["run"])
        assert "A card" not in found(workspace)["run"].description
    attach(workspace / "reports", ())
    assert "README.md" in files(workspace, versions["run"])


def test_a_description_holds_whole_sections_and_no_more_than_mlflow_keeps() -> None:
    sections = [f"## {name}\n\n{name * 1400}\n" for name in "abcdef"]
    told, body = parted(card({"study": "x"}, "# A card\n\n" + "\n".join(sections)))
    assert told == {"study": "x"}
    shown = description(body)
    assert len(shown) <= MOST
    assert shown == body[: body.index("\n## d")].rstrip() + WHOLE
    assert len(description("a" * 9000)) == MOST
