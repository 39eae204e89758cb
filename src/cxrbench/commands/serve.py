"""``cxrbench serve``: the registered model of a study, asked over HTTP."""

import argparse
import os
import sys

from cxrbench.base.errors import CxrbenchError

SERVE = """\
Serves the network of a study that MLflow's registry calls @best-mean: images in, probabilities out. It is 'mlflow
models serve' with the store of this workspace. It answers this machine alone and ends with Ctrl-C.

This is not a medical device. It must not be used to diagnose or to treat.
"""
ASK = """\
{name}@{alias} on http://{host}:{port}/invocations, Ctrl-C ends it. Once 'Application startup complete' is printed, ask
it from another terminal:

    printf '{{"dataframe_records": [{{"image": "%s"}}]}}' "$(base64 < chest.jpg | tr -d '\\n')" |
      curl -s -H 'Content-Type: application/json' --data-binary @- http://{host}:{port}/invocations
"""
HOST = "127.0.0.1"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    serve = commands.add_parser(
        "serve",
        help="serve a study's network on this machine, for curl and programs",
        description=SERVE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    serve.add_argument("study", metavar="STUDY", help="a study of params.yaml")
    serve.add_argument("--port", type=int, default=5001, help="default: %(default)s")
    serve.add_argument(
        "--alias",
        choices=("best-mean", "best"),
        default="best-mean",
        help="the mean of the networks of the winning setting, or its best run (default: %(default)s)",
    )
    serve.add_argument("--no-view-check", action="store_true", help="take every image for a frontal one")
    serve.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the server of these options."""
    import subprocess

    from cxrbench.base.workspace import tracking_uri
    from cxrbench.prediction.served import NO_VIEW_CHECK
    from cxrbench.tracking.registered import registered

    if _taken(options.port):
        raise CxrbenchError(f"port {options.port} is in use by another program; name another, as --port 5002")
    name = registered(options.study, options.alias)
    print(ASK.format(name=name, alias=options.alias, host=HOST, port=options.port), flush=True)
    check = {NO_VIEW_CHECK: "1"} if options.no_view_check else {}
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{name}@{options.alias}"]
    server = [*command, "--env-manager", "local", "--host=127.0.0.1", "--port", str(options.port)]
    return subprocess.run(
        server, env={**os.environ, "MLFLOW_TRACKING_URI": tracking_uri(), **check}, check=False
    ).returncode


def _taken(port: int) -> bool:
    import socket

    with socket.socket() as one:
        return one.connect_ex((HOST, port)) == 0
