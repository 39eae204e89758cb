"""The audit of the pinned packages, against a vulnerability database on loopback."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[1]
HOLE = {
    "id": "GHSA-0000-0000-0000",
    "aliases": ["CVE-2000-0001"],
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


class Database(ThreadingHTTPServer):
    """Knows ``holes`` by package; ``asked`` is each package that somebody asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.holes: dict[str, dict] = {}
        self.asked: set[str] = set()
        self.status = 200


class Answer(BaseHTTPRequestHandler):
    server: Database

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        self.server.asked.add(name)
        body = json.dumps({"vulns": [self.server.holes[name]]} if name in self.server.holes else {}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def database() -> Iterator[Database]:
    server = Database()
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def audit(port: int) -> tuple[int, str]:
    """The exit code and what is printed, with the database at ``port``."""
    command = [sys.executable, ".ci/audit", f"http://127.0.0.1:{port}/v1/query"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_every_pinned_package_is_asked_for(database: Database) -> None:
    code, said = audit(database.server_port)
    assert code == 0, said
    assert f"{len(database.asked)} packages audited: 0 known vulnerabilities" in said
    assert {"tensorflow", "keras", "mlflow", "dvc", "great-expectations", "pillow", "pydicom"} <= database.asked


def test_a_known_vulnerability_is_an_error_that_names_the_package_and_what_mends_it(database: Database) -> None:
    database.holes["jinja2"] = HOLE
    code, said = audit(database.server_port)
    assert code == 1
    assert "error: jinja2 3." in said
    assert "CVE-2000-0001" in said
    assert "mended in 99.1" in said


def test_without_an_answer_it_says_that_nothing_was_audited(database: Database) -> None:
    port = database.server_port
    database.shutdown()
    database.server_close()
    code, said = audit(port)
    assert (code, "NOT audited" in said) == (0, True)


def test_a_database_that_fails_is_an_error_and_not_taken_for_a_clean_bill(database: Database) -> None:
    database.status = 500
    code, said = audit(database.server_port)
    assert code == 1
    assert "can't be audited" in said
