"""Output: readable in 40 columns and without a terminal, harmless on one, JSON when asked."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from obslib.cli.platform.flags import command_of, globals_first
from obslib.cli.platform.screen import Screen, plain
from tests.cli.fake_control_plane import FakeControlPlane
from tests.debug.scenes import Scene

Run = Callable[..., Any]
COMMANDS = [
    ("describe", "env"),
    ("describe", "env", "prod", "--verbose"),
    ("describe", "route", Scene.route),
    ("describe", "instance", Scene.one),
    ("why", "env"),
    ("why", "env", "prod", "--verbose"),
    ("changes",),
    ("whoami",),
    ("apps", "list"),
    ("envs", "list"),
    ("routes", "list"),
    ("instances", "list"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_forty_columns_without_a_terminal(platform: Run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    """No escape codes, no id cut, and no line over 40 columns unless it is a single word."""
    monkeypatch.setenv("COLUMNS", "40")
    done = platform(*command)
    assert done.code == 0, done.err
    assert "\x1b" not in done.out + done.err
    assert "…" not in done.out
    for line in done.out.splitlines():
        assert len(line) <= 40 or len(line.split()) == 1, line
    for whole in re.findall(r"\b(?:inst|rt|env|rel|dep|node|app)_[0-9A-Z]+", done.out):
        assert len(whole.partition("_")[2]) == 26


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_json_is_one_document_and_nothing_else(platform: Run, command: tuple[str, ...]) -> None:
    """Standard output parses whole; standard error is empty."""
    done = platform(*command, "--json")
    assert done.code == 0
    assert isinstance(done.json, dict)
    assert done.err == ""


def test_describe_env_shows_the_four_answers(platform: Run, plane: FakeControlPlane) -> None:
    """Verdict and reason come first, then desired, running and routing."""
    scene = Scene()
    plane.described = scene.served(
        instances=[scene.instance(scene.one), scene.instance(scene.two, status="booting", restarts=2)]
    )
    done = platform("describe", "env")
    lines = [line.strip() for line in done.out.splitlines()]
    assert lines[0] == f"env prod of shop {scene.env}"
    assert lines[1] == "verdict: converging at ready"
    for heading in ("desired (0)", "running (2)", "routing (1)"):
        assert heading in lines
    assert f"try: platform describe instance {scene.two} --org acme --app shop --env prod" in lines
    assert f"web booting {scene.two}" in lines


def test_a_silent_node_is_shown_as_unknown_with_its_age(platform: Run, plane: FakeControlPlane) -> None:
    """What a silent agent last said is not shown as if it were true now."""
    scene = Scene()
    plane.described = scene.served(nodes={scene.agent_id: scene.agent(seen_at=scene.ago(75)), scene.edge_id: scene.edge()})
    done = platform("describe", "env")
    assert f"web unknown (last ready) {scene.one}" in done.out
    assert "last heard 75 s ago" in done.out
    assert "try (operator): platform describe convergence" in done.out


@pytest.mark.parametrize(
    ("arguments", "moved"),
    [
        (("describe", "env", "--json"), ["--json", "describe", "env"]),
        (
            ("--org", "a", "describe", "env", "--app=b", "--env", "c"),
            ["--org", "a", "--app=b", "--env", "c", "describe", "env"],
        ),
        (("x", "--", "--json", "--org"), ["x", "--", "--json", "--org"]),
        (("deploy", "m", "--timeout", "3", "--yes"), ["--yes", "deploy", "m", "--timeout", "3"]),
    ],
)
def test_global_flags_may_stand_anywhere(arguments: tuple[str, ...], moved: list[str]) -> None:
    """Before the subcommand or after it means the same."""
    assert globals_first(arguments) == moved


def test_an_error_names_the_subcommand_wherever_the_flags_stand() -> None:
    """Values of flags are not taken for words of the command."""
    assert command_of(["--org", "acme", "describe", "--env", "prod", "env", "--json"]) == "platform describe env"
    assert command_of(["--org"]) == "platform"


def test_the_flags_decide_before_the_context(platform: Run, plane: FakeControlPlane) -> None:
    """--app and --env win over the saved ones, wherever they stand."""
    plane.envs["staging"] = plane.mint("env")
    for arguments in (
        ("--env", "staging", "describe", "env"),
        ("describe", "env", "--env=staging"),
        ("describe", "env", "staging"),
    ):
        plane.calls.clear()
        assert platform(*arguments).code == 0
        assert plane.calls[-1].path == "/v1/orgs/acme/apps/shop/envs/staging/describe"


HOSTILE = [
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[H",
    "\x9b31m",
    "a\rb\nc\td\x08",
    "\u202egnp.exe",
    "\u200bzero",
    "\ud800",
    "\x7f\x00",
    "\U000e0041tag",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_text_from_the_server_moves_no_cursor(platform: Run, plane: FakeControlPlane, text: str) -> None:
    """Escapes, controls and direction overrides in any field are spelled out, in human output and in JSON."""
    scene = Scene()
    plane.described = scene.served(
        instances=[scene.instance(scene.one, reason_detail=text, reason_code="oom_killed", status="failed", is_final=True)],
        env=scene.served().env.model_copy(update={"name": f"p{text}"}),
    ) if text != "\ud800" else scene.served()  # fmt: skip
    plane.problems["GET /v1/whoami"] = (404, {"detail": text, "code": "not_found"})
    if text == "\ud800":
        plane.problems["GET /v1/whoami"] = (404, '{"detail": "\\ud800"}')
    for done in (platform("describe", "env"), platform("describe", "env", "--json"), platform("whoami")):
        shown = done.out + done.err
        assert all(character == "\n" or (character.isprintable()) for character in shown), ascii(shown)


def test_plain_keeps_what_is_readable() -> None:
    """Letters of any language, emoji and combining marks stay; only the invisible is spelled out."""
    for text in ("Größe 日本語 ✓ é", "🚀", "a b"):
        assert plain(text) == text
    assert plain("a\x1b[1m") == "a\\x1b[1m"
    assert plain(None) == "None"


def test_mutant_that_prints_text_as_it_comes_is_caught(
    platform: Run, plane: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the neutralising removed, an escape would reach the terminal."""
    monkeypatch.setattr("obslib.cli.platform.screen.plain", str)
    plane.problems["GET /v1/whoami"] = (404, {"detail": "\x9b31m", "code": "not_found"})
    assert "\x9b" in platform("whoami").err


def test_a_terminal_gets_colour_and_a_pipe_does_not() -> None:
    """Styles show where somebody looks, and nowhere else."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    seen, piped = Terminal(), io.StringIO()
    Screen(is_json=False, out=seen, err=seen).line("verdict: failing", style="bold red")
    Screen(is_json=False, out=piped, err=piped).line("verdict: failing", style="bold red")
    assert piped.getvalue() == "verdict: failing\n"
    assert "verdict: failing" in seen.getvalue()


def test_secrets_are_blotted_out_of_everything() -> None:
    """The token is replaced in lines, notes, documents and records."""
    out = io.StringIO()
    screen = Screen(is_json=False, secrets=("tok_secretvalue",), out=out, err=out)
    screen.line("a tok_secretvalue b")
    screen.note("tok_secretvalue")
    screen.document({"x": "tok_secretvalue"})
    screen.record({"x": "tok_secretvalue"})
    assert "tok_secretvalue" not in out.getvalue()
    assert out.getvalue().count("[redacted:typed]") == 4


def test_lists_walk_every_page(platform: Run, plane: FakeControlPlane) -> None:
    """A list longer than a page is shown whole."""
    for number in range(5):
        plane.apps[f"app-{number}"] = plane.mint("app")
    assert len(platform("apps", "list", "--json").json["items"]) == 6


def test_help_works_without_context_and_names_the_flags(monkeypatch: pytest.MonkeyPatch, platform: Run, context: Any) -> None:
    """Help needs no API."""
    context.unlink()
    done = platform("--help")
    assert done.code == 0
    for flag in ("--org", "--project", "--app", "--env", "--json", "--debug", "--verbose", "--yes", "--no-input"):
        assert flag in done.out
    assert platform("describe", "env", "--help").code == 0


def test_help_ends_with_the_exit_codes(platform: Run, context: Any) -> None:
    """What a script can branch on is the last thing that help says."""
    assert " ".join(platform("--help").out.split()).endswith(
        "Exit codes: 0 success, 1 failure, 2 invalid usage, 3 auth, 4 not found, 5 conflict, 6 transient, 7 internal,"
        " 130 Ctrl-C."
    )


@pytest.mark.parametrize("columns", ["0", "-1", "²", ""])
def test_a_width_that_says_nothing_is_unknown(platform: Run, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """COLUMNS=0 prints the answer as if nobody had said how wide the screen is."""
    usual = platform("whoami").out
    monkeypatch.setenv("COLUMNS", columns)
    assert platform("whoami").out == usual != ""


def test_debug_shows_the_calls_but_no_header(platform: Run, plane: FakeControlPlane) -> None:
    """Method, path, status and request id of each call, on standard error; the trace is asked to be kept."""
    done = platform("whoami", "--debug", "--json")
    assert json.loads(done.out)["actor_id"] == "usr_1"
    request_id = plane.calls[-1].headers["x-request-id"]
    assert re.fullmatch(rf"GET /v1/whoami 200 \d+ ms {request_id}\n", done.err)
    assert plane.calls[-1].headers["tracestate"] == "obs=k"


def test_a_route_is_deleted_by_its_name_as_by_its_id(platform: Run, plane: FakeControlPlane) -> None:
    """``HOSTNAME[:PORT]`` finds it, as it does for describe; another of the same hostname stays."""
    plane.routes = [{"route_id": plane.mint("rt"), "hostname": "shop.example", "listener_port": port} for port in (8080, 8081)]
    first, second = (route["route_id"] for route in plane.routes)
    assert platform("routes", "delete", "shop.example:8081", "--yes").code == 0
    assert [route["route_id"] for route in plane.routes] == [first]
    assert platform("routes", "delete", first, "--yes").code == 0
    assert plane.routes == []
    assert plane.calls[-1].path.endswith(f"/routes/{first}")
    assert second not in plane.calls[-1].path
