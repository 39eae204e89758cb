"""``cxrbench export``: a study's networks as an ONNX file."""

import argparse
from pathlib import Path

from cxrbench.base.errors import CxrbenchError

EXPORT = """\
Writes the mean of the networks of all seeds of a study's winning setting, which MLflow's registry calls @best-mean, as
one ONNX file. It takes 'image', uint8 [n, size, size, 1], and gives 'score', P(positive), float32 [n].

The file is left only where its scores are those of the networks to 1e-4, on made-up images. How to resize an image,
the labels and the frozen threshold stand in its metadata. It needs: pip install 'cxrbench[onnx]'

This is not a medical device. It must not be used to diagnose or to treat.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    export = commands.add_parser(
        "export",
        help="write a study's networks as an ONNX file",
        description=EXPORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    export.add_argument("study", metavar="STUDY", help="a study of params.yaml")
    export.add_argument(
        "--to", metavar="FILE", type=Path, required=True, help="the file to write, .onnx; replaced if there"
    )
    export.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options."""
    target: Path = options.to
    if target.suffix != ".onnx" or target.is_dir():
        raise CxrbenchError(f"--to is {target}; name a file that ends with .onnx")
    _export(options.study, target)
    return 0


def _export(study: str, target: Path) -> None:
    import json
    from importlib.metadata import version

    from cxrbench.base.workspace import run_store_dir, workspace_root
    from cxrbench.prediction.workspace import model_of
    from cxrbench.runs import onnx_file

    onnx_file.need_packages()
    model = model_of(study, workspace_root() / "data", run_store_dir(), check_view=False)
    usage, files = model.usage, model.network.files
    metadata = {
        "notice": onnx_file.NOTICE,
        "network": model.name,
        "fingerprint": " ".join(sorted(file.parent.name for file in files)),
        "image_size": str(usage.image_size),
        "resize": usage.resize,
        "hide": usage.hide,
        "labels": json.dumps([usage.negative, usage.positive], ensure_ascii=False),
        "threshold": repr(usage.threshold),
        "abstain": json.dumps(list(usage.abstain)),
        "made_by": f"cxrbench {version('cxrbench')}",
    }
    found = onnx_file.write(files, target, metadata)
    print(
        f"{target}: {model.name}; {target.stat().st_size / 1e6:.1f} MB. On {onnx_file.IMAGES} made-up images its"
        f" scores, {found.least:.3f} to {found.most:.3f}, differ from the networks' by at most {found.difference:.1g}"
    )
    if found.precision_difference > onnx_file.TOLERANCE:
        print(
            "The networks compute in bfloat16, the file in float32 with the same weights: there its scores differ by at"
            f" most {found.precision_difference:.1g}"
        )
