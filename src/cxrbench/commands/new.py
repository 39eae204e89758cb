"""``cxrbench new``: the two files of conf/ that a study of one's own folder of images needs."""

import argparse
from pathlib import Path

NEW = """\
Looks at a folder of images, or a .zip of it, that has a sub-folder for each class or a CSV table, and writes what a
study of it needs: conf/data/NAME.yaml (where the images are, what they are called) and conf/grid/NAME.yaml (what is
compared). Nothing is trained and no image is copied. Edit the two files as you like.

The classes may lie in folders named train, val and test. Of two classes the healthy one is known by its name (normal,
healthy, negative, control; 정상, 음성, 대조군); otherwise name both.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    new = commands.add_parser(
        "new",
        help="begin a study of your own folder of images",
        description=NEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    new.add_argument(
        "folder", metavar="FOLDER", help="the folder that holds the class folders or the table, or its .zip"
    )
    new.add_argument("--name", default="mine", help="of the study and its cohort (default: %(default)s)")
    new.add_argument("--positive", metavar="LABEL", help="the class that a network is to find")
    new.add_argument("--negative", metavar="LABEL", help="the class that it is told from")
    new.add_argument("--table", metavar="FILE", help="a CSV inside the folder, instead of class folders")
    new.add_argument(
        "--column",
        metavar="KEY=NAME",
        action="append",
        default=[],
        help="of the table: which column is the path, label, patient_id, split or view: --column 'label=Result'",
    )
    new.add_argument(
        "--file-names",
        metavar="FORM",
        help="how paths tell the patient: '{patient}_*' for P0012_01.jpg, '{patient}/*' for P0012/01.jpg",
    )
    new.add_argument("--replace", action="store_true", help="write the two files anew if they are there")
    new.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options."""
    from cxrbench.base.workspace import workspace_root
    from cxrbench.cohorts.first_look import look
    from cxrbench.config.new_study import write

    given = {
        "table": options.table,
        "columns": dict(one.partition("=")[::2] for one in options.column),
        "file_names": options.file_names,
    }
    found = look(options.folder, options.positive, options.negative, given)
    files = write(workspace_root(), options.name, found.cohort, options.replace)
    print("\n".join([*found.lines, f"written: {' and '.join(str(file) for file in files)}"]))
    print("\nNext, with 'source .venv/bin/activate' said once in this terminal:\n")
    for line in _git_identity(workspace_root()):
        print(f"    {line}")
    print(f"    dvc exp run -S data={options.name} -S grid={options.name}    # trains, and writes reports/report.html")
    print(f"    cxrbench serve {options.name}    # then: its best network, for curl and programs")
    return 0


def _git_identity(folder: Path) -> list[str]:
    """What git must be told once: DVC keeps each experiment as a commit, and without a name it only says so."""
    import os
    import subprocess

    def known(key: str) -> bool:
        asked = subprocess.run(["git", "config", f"user.{key}"], cwd=folder, capture_output=True, check=False)
        return bool(asked.stdout.strip() or os.environ.get(f"GIT_COMMITTER_{key.upper()}"))

    examples = {"name": "Your Name", "email": "you@example.org"}
    return [f'git config --global user.{key} "{example}"' for key, example in examples.items() if not known(key)]
