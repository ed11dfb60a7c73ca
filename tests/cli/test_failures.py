"""What goes wrong comes out as one clear sentence, the documented exit code and the documented JSON."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obslib.cli.platform.failure import Category, category_of_status
from tests.cli.fake_control_plane import TOKEN, FakeControlPlane

Run = Callable[..., Any]
INSTANCE = "inst_01ARZ3NDEKTSV4RRFFQ69G5FAV"


def test_exit_codes_are_those_of_the_platform() -> None:
    """The seven categories and their codes."""
    assert {str(category): category.exit_code for category in Category} == {
        "failure": 1, "invalid_usage": 2, "auth": 3, "not_found": 4, "conflict": 5, "transient": 6, "internal": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2), (401, 3), (403, 3), (404, 4), (409, 5), (412, 5), (418, 1), (429, 6), (500, 7), (503, 6), (504, 6)],
)
def test_each_status_has_its_exit_code(status: int, code: int) -> None:
    """429 and 503 are transient; a client error nobody planned for is a plain failure."""
    assert category_of_status(status).exit_code == code


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("describe", "env", "nowhere"), 4, "error: there is no such env that this token can see"),
        (("describe", "env", "--org", "rival"), 4, "error: there is no such org that this token can see"),
        (("describe", "env", "env_x"), 2, "error: malformed id 'env_x': the id of an env is env_ and 26 characters"),
        (("describe", "instance", "web"), 2, "error: malformed id 'web': the id of an instance is inst_ and 26 characters"),
        (("describe", "instance", INSTANCE), 4, "error: there is no such instance that this token can see"),
        (("describe", "route", "shop.example"), 4, "error: there is no route 'shop.example' in prod"),
        (("deploy", "/nowhere.toml"), 2, "error: the manifest '/nowhere.toml' cannot be read: there is no file"),
        (("scale", "web=two"), 2, "error: 'web=two' is not PROCESS=N"),
        (("scale", "web=1", "web=2"), 2, "error: 'web' is named twice"),
        (("events", "query", "--since", "tuesday"), 2, "error: 'tuesday' is not a time"),
        (("events", "query", "--limit", "0"), 2, "error: Invalid value for '--limit'"),
        (("describe", "env", "--env"), 2, "error: --env needs a value"),
        (("describe", "env", "--env", ""), 2, "error: --env is empty"),
        (("describe", "env", "--app="), 2, "error: --app is empty"),
        (("--org", " ", "apps", "list"), 2, "error: --org is empty"),
        (("describe", "env", ""), 2, "error: ENV is empty"),
        (("deploy", ""), 2, "error: MANIFEST is empty"),
        (("--emergency", "", "apps", "list"), 2, "error: --emergency is empty"),
        (("describe", "env", "\udcff\udcfe"), 2, r"error: the argument '\udcff\udcfe' is not valid UTF-8"),
        (("routes", "delete", "rt_01ARZ3NDEKTSV4RRFFQ69G5FAV"), 2, "needs a yes"),
        (("routes", "delete", "nowhere.example", "--yes"), 4, "error: there is no route 'nowhere.example' in prod"),
        (("frobnicate",), 2, "error: No such command 'frobnicate'"),
        ((), 2, "error: Missing command"),
        (("describe", "env", "--bogus"), 2, "error: No such option: --bogus"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(platform: Run, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    """A sentence and a hint on standard error, nothing on standard output, no traceback; the same as JSON when asked."""
    done = platform(*arguments)
    assert (done.code, done.out) == (code, "")
    assert sentence in " ".join(done.err.split())
    assert done.err.splitlines()[1].startswith("hint: ")
    assert len(done.err.splitlines()) <= 3 + 2 * (code == 2)
    in_json = platform(*arguments, "--json")
    assert (in_json.code, in_json.err) == (code, "")
    error = in_json.json["error"]
    assert set(error) == {"category", "message", "hint", "retryable", "trace_id", "details"}
    assert set(error["details"]) == {"command", "resource", "fields"}
    assert set(error["details"]["resource"]) == {"type", "id", "name"}
    assert Category(error["category"]).exit_code == code


def test_a_wrong_token_exits_3_and_is_not_repeated(platform: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token nobody knows is refused with a hint; no output holds it, even when the server echoes it."""
    monkeypatch.setenv("PLATFORM_TOKEN", "tok_wrongsecretvalue")
    for arguments in (("whoami",), ("whoami", "--json"), ("whoami", "--debug")):
        done = platform(*arguments)
        assert done.code == 3
        assert "tok_wrongsecretvalue" not in done.out + done.err


def test_a_token_with_control_characters_is_refused_before_it_is_sent(
    platform: Run, plane: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that could not be a header is an auth failure, not a crash."""
    monkeypatch.setenv("PLATFORM_TOKEN", "tok\nX-Evil: 1")
    done = platform("whoami")
    assert (done.code, plane.calls) == (3, [])


def test_a_server_that_echoes_the_token_cannot_make_us_print_it(platform: Run, plane: FakeControlPlane) -> None:
    """The token is blotted out of errors and answers, human and JSON."""
    plane.problems["GET /v1/whoami"] = (500, {"detail": f"cannot use {TOKEN}", "code": "internal"})
    for arguments in (("whoami",), ("whoami", "--json")):
        done = platform(*arguments)
        assert done.code == 7
        assert TOKEN not in done.out + done.err
        assert "[redacted:typed]" in done.out + done.err


def test_an_unreachable_api_exits_6(platform: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the API without its credentials; it is worth trying again."""
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    monkeypatch.setenv("PLATFORM_API", f"http://user:hunter2pw@127.0.0.1:{port}")
    done = platform("whoami")
    assert done.code == 6
    assert f"error: the API at http://127.0.0.1:{port} cannot be reached: connection refused" in " ".join(done.err.split())
    assert "hunter2pw" not in done.err
    error = platform("whoami", "--json").json["error"]
    assert (error["category"], error["retryable"]) == ("transient", True)


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://x", "http://[", "http://exa mple", "nonsense"])
def test_what_is_no_url_is_named(platform: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A PLATFORM_API that is no URL is invalid usage, or at worst unreachable; never a crash."""
    monkeypatch.setenv("PLATFORM_API", url)
    done = platform("whoami")
    assert done.code in (2, 6)
    assert done.err.startswith("error: ")


def test_something_else_on_that_port_is_recognised(platform: Run, plane: FakeControlPlane) -> None:
    """A page of HTML is not mistaken for an answer."""
    plane.problems["GET /v1/whoami"] = (200, "<html>welcome</html>")
    done = platform("whoami")
    assert done.code == 7
    assert "is not the platform's API" in " ".join(done.err.split())


@pytest.mark.parametrize(
    ("status", "problem", "hint"),
    [
        (504, {"detail": "accepted as event 7, not shown yet", "retryable": False}, "do not send it again"),
        (503, {"detail": "away", "retryable": True}, "try again shortly"),
        (401, {"detail": "who are you"}, "give a valid token"),
    ],
)
def test_the_hint_fits_what_happened(
    platform: Run, plane: FakeControlPlane, status: int, problem: dict[str, object], hint: str
) -> None:
    """What was accepted is not to be sent again, and who is not known is not told to ask who it is."""
    plane.problems["/scale"] = (status, problem)
    assert platform("scale", "web=2").err.splitlines()[1].startswith(f"hint: {hint}")


def test_a_problem_tells_its_fields_trace_and_request(platform: Run, plane: FakeControlPlane) -> None:
    """Field errors, the retry advice and both ids of the server's answer reach the user."""
    plane.problems["PUT scale"] = (
        429,
        {"detail": "too fast", "retryable": True, "details": [{"field": "web", "message": "is busy"}], "code": "rate_limited"},
    )
    plane.problems["/scale"] = plane.problems.pop("PUT scale")
    error = platform("scale", "web=2", "--json").json["error"]
    trace_id = plane.calls[-1].headers["traceparent"].split("-")[1]
    assert error == {
        "category": "transient",
        "message": "too fast: web is busy",
        "hint": "try again shortly",
        "retryable": True,
        "trace_id": trace_id,
        "details": {
            "command": "platform scale web=2",
            "resource": {"type": "", "id": "", "name": ""},
            "fields": {"web": "is busy", "status": 429, "code": "rate_limited", "request_id": "req_from_server"},
        },
    }
    human = platform("scale", "web=2").err
    assert "request req_from_server" in human
    assert "trace " in human


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not a JSON object"),
        ("[]", "is not a JSON object"),
        ('{"org": 7}', "org in the context"),
        ("{}", "no API is named"),
    ],
)
def test_a_damaged_context_is_named(platform: Run, context: Path, content: str, complaint: str) -> None:
    """A context file that cannot be used says so, with its path or with what to set."""
    context.write_text(content)
    done = platform("whoami")
    assert done.code == 2
    assert complaint in " ".join(done.err.split())


def test_a_target_nobody_named_is_asked_for(platform: Run, context: Path) -> None:
    """The sentence says which flag is missing."""
    saved = json.loads(context.read_text())
    context.write_text(json.dumps({key: saved[key] for key in ("api", "token", "org")}))
    done = platform("describe", "env")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: no app is named")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("deploy",), "platform deploy"),
        (("events", "query", "--limit", "0"), "platform events query"),
        (("describe", "bogus"), "platform describe"),
        (("bogus",), "platform"),
    ],
)
def test_a_usage_error_points_to_the_help_of_its_command(platform: Run, arguments: tuple[str, ...], command: str) -> None:
    """The hint is the help of the subcommand that was misused, not of the whole."""
    assert platform(*arguments).err.splitlines()[1] == f"hint: {command} --help"
