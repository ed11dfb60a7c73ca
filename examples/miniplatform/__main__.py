"""``python -m miniplatform``: the platform's processes, and the three commands that drive them."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from miniplatform.process import ExitCode, Refusal, parse, run

COMPONENTS = {
    "control-plane": "miniplatform.control_plane.main",
    "projector": "miniplatform.projector.main",
    "scheduler": "miniplatform.scheduler.main",
    "agent": "miniplatform.agent.main",
    "edge": "miniplatform.edge.main",
}


def main(argv: list[str]) -> int:
    """Run one component, or start, stop or demonstrate the whole platform."""
    if argv and argv[0] in COMPONENTS:
        module = importlib.import_module(COMPONENTS[argv[0]])
        return run(module.main, parse(argv[0], argv[1:]))
    parser = argparse.ArgumentParser(prog="miniplatform", epilog=f"single processes: {', '.join(COMPONENTS)} (each has --help)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="deploy an app, serve it, break it, and show the operator's answers")
    demo.add_argument("--break", dest="fault", default="none", help="none, crash, agent-down, oom, no-route, lag or bad-config")
    demo.add_argument("--state", type=_directory, help="keep the state here (default: a temporary directory)")
    for name, what in (("up", "start the platform and leave it running"), ("down", "stop it")):
        commands.add_parser(name, help=what).add_argument("--state", type=_directory, default=Path(".state"))
    arguments = parser.parse_args(argv)
    try:
        code = _drive(arguments)
        sys.stdout.flush()
        return code
    except Refusal as refusal:
        print(f"miniplatform: {refusal}", file=sys.stderr)
        return refusal.exit_code
    except BrokenPipeError:  # whoever read the output has left, as in "| head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.SUCCESS
    except KeyboardInterrupt:
        print("miniplatform: interrupted", file=sys.stderr)
        return 130


def _directory(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("the state directory is empty; name one")
    return Path(text)


def _drive(arguments: argparse.Namespace) -> int:
    from miniplatform import demo

    match arguments.command:
        case "demo":
            demo.run(arguments.fault, arguments.state)
        case "up":
            demo.up(arguments.state)
        case "down":
            demo.down(arguments.state)
    return ExitCode.SUCCESS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
