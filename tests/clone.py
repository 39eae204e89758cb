"""A clone of this checkout whose default data set is the tiny phantom, and commands as a user gives them in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLANTED = "-".join(["planted", "3f9c1e"])  # a secret of a user; in pieces, for this file is searched too
SECRETS = dict.fromkeys(
    (
        *("KAGGLE_KEY", "KAGGLE_API_TOKEN", "PHYSIONET_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "GITHUB_TOKEN"),
    ),
    PLANTED,
)
OF_USERS = ("MLFLOW_TRACKING_URI", "CXRBENCH_STORE", "DVC_ROOT")


def environment(folder, **more):
    """The variables of a command in ``folder``; of what users set for cxrbench, only what ``more`` holds."""
    mine = {name: value for name, value in os.environ.items() if name not in OF_USERS}
    return {
        **mine,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        **more,
        **{f"GIT_{who}_{what}": "nobody@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


def run(folder, *command, fails=False, **more):
    """What the command prints; ``more`` are variables of its environment. Where it should not end so, it shows."""
    done = subprocess.run(
        command, cwd=folder, env=environment(folder, **more), capture_output=True, text=True, timeout=900
    )
    assert (done.returncode != 0) == fails, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def copy_clone(clone, folder):
    """The clone in another folder; without what is in MLflow, whose artifacts have addresses in the first one."""
    logged = shutil.ignore_patterns("mlflow.db*", "artifacts", "tracking.lock")
    return shutil.copytree(clone, folder, symlinks=True, ignore=logged)


def tiny_clone(folder):
    """Makes it in the new ``folder``, committed, with nothing run in it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    config = folder / "conf" / "config.yaml"
    config.write_text(config.read_text().replace("- data: phantom", "- data: tiny"))
    run(folder, sys.executable, "-c", (
        "from hydra import compose, initialize_config_dir; from omegaconf import OmegaConf; from pathlib import Path\n"
        "with initialize_config_dir(str(Path('conf').resolve()), version_base=None):\n"
        "    Path('params.yaml').write_text(OmegaConf.to_yaml(compose('config'), resolve=True))"
    ))  # fmt: skip
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "tiny")
