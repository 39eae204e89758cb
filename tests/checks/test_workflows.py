"""The GitHub workflows name what is there: paths of the repository, commands of the README, few rights."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))}
ON = True  # what YAML 1.1 makes of the key 'on'
CHECKS = WORKFLOWS["data-checks"]


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def names(text):
    """The pattern of a GitHub path filter: ** is anything, all else is itself."""
    return re.compile(".*".join(re.escape(piece) for piece in text.split("**")))


def test_data_checks_run_by_hand_on_a_push_and_on_a_pull_request_that_touch_data() -> None:
    assert set(CHECKS[ON]) == {"workflow_dispatch", "push", "pull_request"}
    assert CHECKS[ON]["push"]["paths"] == CHECKS[ON]["pull_request"]["paths"]


def test_every_path_of_the_data_checks_is_there() -> None:
    for path in CHECKS[ON]["push"]["paths"]:
        assert (ROOT / path.removesuffix("/**")).exists(), path


@pytest.mark.parametrize(
    "changed",
    [
        "params.yaml",
        "conf/data/kaggle.yaml",
        "data/published/batch-size.yaml",
        "dvc.lock",
        "src/cxrbench/cohorts/phantom/tree.py",
        "src/cxrbench/checks/parts.py",
        "src/cxrbench/images/decode.py",
        "src/cxrbench/config/params.py",
    ],
)
def test_a_change_of_data_or_parameters_starts_the_data_checks(changed) -> None:
    assert (ROOT / changed).is_file()
    assert any(names(path).fullmatch(changed) for path in CHECKS[ON]["push"]["paths"])


def test_a_change_of_prose_does_not_start_them() -> None:
    assert not any(names(path).fullmatch("README.md") for path in CHECKS[ON]["push"]["paths"])


def test_the_command_is_the_readmes_own_and_make_knows_it() -> None:
    commands = [step["run"] for step in steps(CHECKS) if "run" in step and "if" not in step]
    assert commands == ["make validate"]
    assert "`make validate`" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search("^validate:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_pages_are_kept_also_where_a_check_failed() -> None:
    last = steps(CHECKS)[-1]
    assert last["uses"].startswith("actions/upload-artifact@")
    assert last["if"] == "${{ !cancelled() }}"
    validate = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]["validate"]
    assert all(out.startswith(f"{last['with']['path']}/") for out in validate["outs"])


def test_the_cached_environment_is_the_one_that_make_looks_at() -> None:
    cache = next(step for step in steps(CHECKS) if step.get("id") == "environment")
    touch = next(step for step in steps(CHECKS) if step.get("if") == "steps.environment.outputs.cache-hit == 'true'")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    needs = re.search(r"^\$\(READY\): (.*) \|", makefile, re.MULTILINE)[1].split()
    assert all(f"'{name}'" in cache["with"]["key"] for name in needs)
    assert touch["run"] == f"touch {re.search('^READY := (.*)$', makefile, re.MULTILINE)[1]}"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_reads_and_no_more_and_pins_python_and_every_action(name) -> None:
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    allowed = {"runs-on", "timeout-minutes", "strategy", "env", "steps"}
    assert all(set(job) <= allowed for job in workflow["jobs"].values())
    used = [step for step in steps(workflow) if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@(v\d+|[0-9a-f]{40})", step["uses"]) for step in used)
    with_of = {step["uses"].split("@")[0]: step.get("with") for step in used}
    assert with_of["actions/checkout"] == {"persist-credentials": False}
    assert set(with_of["actions/setup-python"]) == {"python-version"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_make_takes_the_python_that_the_workflow_set_up_and_not_a_newer_one_of_the_runner(name) -> None:
    (job,) = WORKFLOWS[name]["jobs"].values()
    setup = next(step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python@"))
    assert job["env"] == {"PYTHON": f"python{setup['with']['python-version']}"}


def test_the_tests_workflow_runs_what_ci_runs() -> None:
    commands = [step["run"] for step in steps(WORKFLOWS["tests"]) if "run" in step]
    assert commands == ["bash .ci/run"]
    assert (ROOT / ".ci" / "run").is_file()
