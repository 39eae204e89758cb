"""The GitHub workflows name what is there: paths of the repository, commands that make knows, few rights."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))}
ON = True  # what YAML 1.1 makes of the key 'on'
ENVIRONMENT = ROOT / ".github" / "actions" / "environment" / "action.yml"
SHARED = yaml.safe_load(ENVIRONMENT.read_text(encoding="utf-8"))["runs"]["steps"]
CHECKS = WORKFLOWS["data-checks"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# The rights that a job has beside reading the repository: to comment, and to publish the documentation.
RIGHTS = {
    ("comment", "comment"): {"actions": "read", "pull-requests": "write"},
    ("docs", "publish"): {"pages": "write", "id-token": "write"},
}
JOBS = [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"]]


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands_of(name):
    return [step["run"] for step in steps(WORKFLOWS[name]) if "run" in step]


def paths_of(workflow):
    """The path filters of a workflow, by what starts it."""
    return {event: rule["paths"] for event, rule in workflow[ON].items() if rule and "paths" in rule}


def names(text):
    """The pattern of a GitHub path filter: ** is anything, all else is itself."""
    return re.compile(".*".join(re.escape(piece) for piece in text.split("**")))


@pytest.mark.parametrize(
    ("schema", "files"), [("github-workflows", sorted(FOLDER.glob("*.yml"))), ("github-actions", [ENVIRONMENT])]
)
def test_every_file_is_what_github_takes(schema, files) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="the workflow lint runs it; no package of it is pinned")
def test_actionlint_finds_nothing() -> None:
    done = subprocess.run(["actionlint", "-color=false"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_data_checks_run_by_hand_on_a_push_and_on_a_pull_request_that_touch_data() -> None:
    assert set(CHECKS[ON]) == {"workflow_dispatch", "push", "pull_request"}
    assert CHECKS[ON]["push"]["paths"] == CHECKS[ON]["pull_request"]["paths"]


@pytest.mark.parametrize("name", [name for name in WORKFLOWS if name not in ("tests", "docs", "comment")])
def test_every_path_that_starts_a_workflow_is_there_and_itself_among_them(name) -> None:
    for paths in (filters := paths_of(WORKFLOWS[name])).values():
        assert [path for path in paths if not (ROOT / path.removesuffix("/**")).exists()] == []
        assert f".github/workflows/{name}.yml" in paths
    assert filters


@pytest.mark.parametrize("name", ["smoke", "difference"])
def test_a_change_of_what_the_pipeline_is_made_of_starts_the_workflows_that_run_it(name) -> None:
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    read = {dep for stage in pipeline.values() for dep in stage["deps"] if (ROOT / dep).exists()}
    changed = [dep if (ROOT / dep).is_file() else f"{dep}/anything" for dep in sorted(read)]
    for paths in paths_of(WORKFLOWS[name]).values():
        assert [one for one in changed if not any(names(path).fullmatch(one) for path in paths)] == []


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
    assert commands_of("data-checks") == ["make validate"]
    assert "`make validate`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_pages_are_kept_also_where_a_check_failed() -> None:
    last = steps(CHECKS)[-1]
    assert last["uses"].startswith("actions/upload-artifact@")
    assert last["if"] == "${{ !cancelled() }}"
    validate = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]["validate"]
    outs = [path.removeprefix("${kept}") for out in validate["outs"] for path in out]
    assert all(out.startswith(f"{last['with']['path']}/") for out in outs)


def test_the_cached_environment_is_the_one_that_make_looks_at() -> None:
    cache = next(step for step in SHARED if step.get("id") == "environment")
    touch = next(step for step in SHARED if step.get("if") == "steps.environment.outputs.cache-hit == 'true'")
    needs = re.search(r"^\$\(READY\): (.*) \|", MAKEFILE, re.MULTILINE)[1].split()
    assert all(f"'{name}'" in cache["with"]["key"] for name in needs)
    assert touch["run"] == f"touch {re.search('^READY := (.*)$', MAKEFILE, re.MULTILINE)[1]}"


def test_make_takes_the_python_that_was_set_up_and_not_a_newer_one_of_the_runner(tmp_path) -> None:
    (job,) = WORKFLOWS["tests"]["jobs"].values()
    setup = next(step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python@"))
    assert job["env"] == {"PYTHON": f"python{setup['with']['python-version']}"}
    (tell,) = [step for step in SHARED if "env" in step]
    assert tell["env"] == {"VERSION": "${{ inputs.python }}"}
    assert run_step(tell, tmp_path, VERSION="3.12", GITHUB_ENV=tmp_path / "env").returncode == 0
    assert (tmp_path / "env").read_text() == "PYTHON=python3.12\n"
    assert re.search(r"^PYTHON \?= ", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_reads_and_no_more_but_for_two_that_run_no_code_of_the_repository(name, job) -> None:
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == ({} if name == "comment" else {"contents": "read"})
    asked = workflow["jobs"][job]
    assert asked.get("permissions", {}) == RIGHTS.get((name, job), {})
    if "permissions" in asked:
        assert not any(step.get("uses", "").startswith(("actions/checkout@", "./")) for step in asked["steps"])
    assert "pull_request_target" not in workflow[ON]
    assert "secrets." not in (FOLDER / f"{name}.yml").read_text(encoding="utf-8")
    known = {"runs-on", "timeout-minutes", "strategy", "env", "steps", "permissions", "if", "needs", "environment"}
    assert set(asked) <= known
    assert asked["timeout-minutes"] <= 120


@pytest.mark.parametrize("name", [*WORKFLOWS, "environment"])
def test_every_action_is_pinned_and_no_checkout_leaves_a_credential(name) -> None:
    used = [step for step in (SHARED if name == "environment" else steps(WORKFLOWS[name])) if "uses" in step]
    for step in used:
        if step["uses"].startswith("./"):
            assert (ROOT / step["uses"] / "action.yml").is_file()
            continue
        assert re.fullmatch(r"actions/[a-z-]+@(v\d+|[0-9a-f]{40})", step["uses"])
        if step["uses"].startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        if step["uses"].startswith("actions/setup-python@"):
            assert set(step["with"]) == {"python-version"}


@pytest.mark.parametrize("name", [*WORKFLOWS, "environment"])
def test_no_expression_is_written_into_a_shell(name) -> None:
    """What a pull request names, such as its branch, would be run as code there; a variable of the step is not."""
    listed = SHARED if name == "environment" else steps(WORKFLOWS[name])
    assert [step["run"] for step in listed if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_command_of_make_is_a_target(name) -> None:
    for target in re.findall(r"^make ([a-z]+)", "\n".join(commands_of(name)), re.MULTILINE):
        assert re.search(f"^{target}:", MAKEFILE, re.MULTILINE), target


def test_each_workflow_runs_its_own_command() -> None:
    found = {name: commands_of(name) for name in ("smoke", "difference", "docs")}
    assert found == {"smoke": ["make smoke"], "difference": ['make diff BASE="$BASE"'], "docs": ["make docs"]}


def test_the_tests_workflow_runs_what_ci_runs() -> None:
    assert commands_of("tests") == ["bash .ci/run"]
    assert (ROOT / ".ci" / "run").is_file()


def run_step(step, folder, **variables):
    """What GitHub does with a step that names no shell or bash: bash -e on its lines."""
    environment = {"PATH": os.environ["PATH"], **{name: str(value) for name, value in variables.items()}}
    return subprocess.run(
        ["bash", "-e", "-c", step["run"]], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def comment(tmp_path):
    """The step that comments, with a gh that writes down what it is asked for: (run it, what it posted)."""
    (tmp_path / "bin").mkdir()
    gh = tmp_path / "bin" / "gh"
    gh.write_text(
        "#!/usr/bin/env bash\n"
        'printf "%s\\n" "$*" >> asked\n'
        'test "$1" != api || { cat number; exit 0; }\n'
        "cp comment.md posted\n"
    )
    gh.chmod(0o755)
    (tmp_path / "made").mkdir()
    (step,) = [step for step in steps(WORKFLOWS["comment"]) if "run" in step]

    def act(text, number="7\n", branch="topic"):
        (tmp_path / "made" / "difference.md").write_text(text, encoding="utf-8")
        (tmp_path / "number").write_text(number)
        known = {"GH_REPO": "we/cxrbench", "OWNER": "them", "BRANCH": branch, "SHA": "abc", "GH_TOKEN": "t"}
        assert set(known) == set(step["env"])
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return run_step(step, tmp_path, **{**known, "PATH": path})

    return act


def test_the_difference_is_posted_to_its_pull_request_and_calls_nobody(comment, tmp_path) -> None:
    assert comment("| a | @everyone |\n").returncode == 0
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[0].startswith("api --method GET repos/we/cxrbench/pulls -f state=open -f head=them:topic --jq ")
    assert asked[1] == "pr comment 7 --edit-last --create-if-none --body-file comment.md"
    posted = (tmp_path / "posted").read_text()
    assert "at abc" in posted
    assert "| a | &#64;everyone |" in posted


def test_a_difference_longer_than_a_comment_may_be_is_cut(comment, tmp_path) -> None:
    assert comment("@" * 100_000).returncode == 0
    assert len((tmp_path / "posted").read_bytes()) < 65_536


def test_without_an_open_pull_request_of_that_commit_nothing_is_posted(comment, tmp_path) -> None:
    assert comment("x", number="").returncode == 0
    assert not (tmp_path / "posted").exists()


def test_a_branch_whose_name_is_a_command_is_a_name(comment, tmp_path) -> None:
    assert comment("x", branch="$(touch pwned);`touch pwned`").returncode == 0
    assert not (tmp_path / "pwned").exists()
