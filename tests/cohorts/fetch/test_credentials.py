"""Credentials reach the host they are for, and no error, file or other host."""

import traceback
from urllib.parse import urlsplit

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.fetch.http import fetch_file
from tests.cohorts.fetch.server import NO_STALL, Server, answer, cut, redirect, status

BODY = b"pixels" * 1000
USER, PASSWORD, TOKEN = "ann", "pa:ss wörd€", "t0ken-s3cret"
SECRETS = (PASSWORD, TOKEN, "YW5uOnBh")  # the last: how Basic auth begins for this user
NEEDS = "set PHYSIONET_USERNAME and PHYSIONET_PASSWORD"


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    with Server({"/private/f": BODY, "/f": BODY}) as running:
        running.users["/private/"] = (USER, PASSWORD)
        yield running
    assert running.errors == []


def everything_said(url, target, **more):
    """The message, the traceback and all exceptions behind it."""
    with pytest.raises(CxrbenchError) as caught:
        fetch_file(url, target, needs=NEEDS, patience=NO_STALL, **more)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None, "what was raised before it names the whole address"
    return "".join(traceback.format_exception(error))


def test_a_right_password_opens_the_file_whatever_letters_it_has(server, tmp_path):
    assert fetch_file(server.url("/private/f"), tmp_path / "f", auth=(USER, PASSWORD)).read_bytes() == BODY


def test_credentials_go_with_each_attempt(server, tmp_path):
    server.script("/private/f", cut(10), status(503))
    fetch_file(server.url("/private/f"), tmp_path / "f", auth=(USER, PASSWORD), patience=NO_STALL)
    assert len({seen.headers["authorization"] for seen in server.seen}) == 1


def test_without_a_password_the_sentence_says_what_to_set(server, tmp_path):
    said = everything_said(server.url("/private/f"), tmp_path / "f")
    assert "asks for a user name and a password (401); " + NEEDS in said
    assert len(server.seen) == 1


def test_a_wrong_password_is_not_tried_twice_and_not_shown(server, tmp_path):
    said = everything_said(server.url("/private/f"), tmp_path / "f", auth=(USER, TOKEN))
    assert "does not take this user name and password (401); " + NEEDS in said
    assert not any(secret in said for secret in SECRETS)
    assert len(server.seen) == 1


@pytest.mark.parametrize(("auth", "word"), [(None, "is not open to everyone"), ((USER, PASSWORD), "to this user")])
def test_a_403_says_what_to_set(server, tmp_path, auth, word):
    server.forbidden.add("/private/")
    said = everything_said(server.url("/private/f"), tmp_path / "f", auth=auth)
    assert word in said
    assert NEEDS in said


def test_a_user_agent_can_be_given(server, tmp_path):
    server.agents["/private/"] = "Wget/"
    more = {"auth": (USER, PASSWORD), "headers": {"User-Agent": "Wget/1.21 (cxrbench)"}}
    assert fetch_file(server.url("/private/f"), tmp_path / "f", **more).read_bytes() == BODY
    assert "(403)" in everything_said(server.url("/private/f"), tmp_path / "g", auth=(USER, PASSWORD))


@pytest.mark.parametrize(
    "step",
    [status(404), status(400), status(503), cut(0), answer(length=None), redirect("ftp://x/"), redirect("/loop")],
)
def test_no_secret_of_the_address_or_the_headers_is_in_any_error(server, tmp_path, step):
    server.script("/f", *[step] * 20)
    server.script("/loop", *[redirect("/loop?again=" + TOKEN)] * 99)
    url = server.url("/f").replace("//", f"//{USER}:{TOKEN}@") + f"?X-Amz-Signature={TOKEN}#{TOKEN}"
    said = everything_said(url, tmp_path / "f", headers={"X-Token": TOKEN})
    assert server.url("/f") in said
    assert not any(secret in said for secret in SECRETS)


def test_a_closed_port_and_a_bad_header_show_no_secret_either(tmp_path):
    with Server() as gone:
        port = urlsplit(gone.url("/")).port
    url = f"http://{USER}:{TOKEN}@127.0.0.1:{port}/f?token={TOKEN}"
    assert TOKEN not in everything_said(url, tmp_path / "f", auth=(USER, PASSWORD))
    said = everything_said(url, tmp_path / "f", headers={"Authorization": f"Bearer {TOKEN}\r\nX: 1"})
    assert TOKEN not in said
    assert "line breaks" in said


def test_credentials_do_not_follow_a_redirect_to_another_host(server, tmp_path):
    with Server({"/f": BODY}) as other:
        server.script("/private/f", redirect(other.url("/f")), redirect(other.url("/f")))
        for headers in ({"X-Token": TOKEN, "User-Agent": "cxrbench"}, {"Authorization": f"Bearer {TOKEN}"}):
            server.users.clear()
            auth = (USER, PASSWORD) if "X-Token" in headers else None
            fetch_file(server.url("/private/f"), tmp_path / str(len(headers)), auth=auth, headers=headers)
        assert [seen.headers.get("authorization", "")[:6] for seen in server.seen] == ["Basic ", "Bearer"]
        for seen in other.seen:
            assert "authorization" not in seen.headers
            assert not any(secret in str(seen.headers) for secret in SECRETS)
        assert other.seen[0].headers["user-agent"] == "cxrbench"


def test_credentials_stay_on_a_redirect_inside_the_host(server, tmp_path):
    server.script("/private/old", redirect("/private/f"))
    assert fetch_file(server.url("/private/old"), tmp_path / "f", auth=(USER, PASSWORD)).read_bytes() == BODY


def test_netrc_is_read_unless_credentials_are_given(server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password right\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.users["/private/"] = (USER, "right")
    assert fetch_file(server.url("/private/f"), tmp_path / "f").read_bytes() == BODY
    fetch_file(server.url("/f"), tmp_path / "g", headers={"authorization": "Bearer mine"})
    assert server.seen[-1].headers["authorization"] == "Bearer mine"


def test_no_credential_is_written_beside_the_file(server, tmp_path):
    server.script("/f", cut(10), *[status(404)] * 2)
    everything_said(server.url("/f") + f"?token={TOKEN}", tmp_path / "f", auth=(USER, PASSWORD))
    assert {path.name for path in tmp_path.iterdir()} == {"f.part", "f.part.version"}
    assert not any(secret.encode() in path.read_bytes() for path in tmp_path.iterdir() for secret in SECRETS)
