"""OBS501: a component that writes to the terminal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import File, Printed

__all__ = ["PrintedText"]

_TERMINALS = frozenset({"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"})


class PrintedText(Rule[Printed]):
    """A component prints, or writes to the standard streams.

    Why: what a component prints has no level, no component, no trace and no time, and nothing looks for secrets in it. It
    stands between the JSON lines on the same stream, where whoever collects them drops it or stumbles over it.

    Fix: write a line, ``obs.log.info("started", port=port)``, or declare an event. What is meant for a person at a terminal
    belongs into a command, outside the component paths of ``[tool.obslib.lint]``, or into ``if __name__ == "__main__":``.
    Without component paths, the files that import obslib or one of its shims are looked at.
    """

    code = "OBS501"
    name = "print"
    on = Printed
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def started(obs: Observability, port: int) -> None:
            obs.log.info("started", port=port)
        """,
        """
        print("a script that is no component")
        """,
        """
        import obslib

        def save(lines, path: str) -> None:
            with open(path, "w") as file:
                [print(line, file=file) for line in lines]
        """,
        """
        import obslib
        import sys

        if __name__ == "__main__":
            with obslib.start("agent") as obs:
                print(obs.admin_address)
                sys.stdout.write("started\\n")
        """,
        """
        import obslib

        class Press:
            def print(self, text: str) -> None: ...

            def run(self) -> None:
                self.print("a page")
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        import obslib

        print("started")
        """,
        """
        from obslib import Observability

        def placed(obs: Observability, orders) -> None:
            say = print
            [say(order) for order in orders]
        """,
        """
        import obslib
        import sys as system

        class Shop:
            def told(self) -> None:
                system.stderr.write("told\\n")
        """,
        """
        import obslib
        from functools import partial

        shout = partial(print, flush=True)

        def told() -> None:
            def inner() -> None:
                shout("told")
            inner()
        """,
        """
        import obslib_agent
        import traceback

        def run() -> None:
            try:
                raise OSError
            except OSError:
                traceback.print_exc()
        """,
        """
        import obslib
        import sys

        def told() -> None:
            print("told", file=sys.stderr)
        """,
        """
        import obslib
        from pprint import pprint as show

        def traced(function):
            def inner(*args):
                show(args)
                return function(*args)
            return inner
        """,
    )

    def check(self, use: Printed, file: File) -> Iterator[Problem]:
        """Look at components only, and at what goes to the terminal."""
        if file.is_component and not _goes_elsewhere(use, file) and not _is_in_main(use.call, file.module.tree):
            yield Problem(
                use.call,
                f"{file.source(use.call.func)}() writes past the log; write a line with obs.log instead",
            )


def _goes_elsewhere(use: Printed, file: File) -> bool:
    target = next((keyword.value for keyword in use.call.keywords if keyword.arg == "file"), None)
    if target is None or (isinstance(target, ast.Constant) and target.value is None):
        return False
    return file.value(target, use.scope).name not in _TERMINALS


def _is_in_main(call: ast.Call, tree: ast.Module) -> bool:
    """Whether it stands in ``if __name__ == "__main__":``, where a person has started this file by hand."""
    return any(
        isinstance(each, ast.If)
        and isinstance(each.test, ast.Compare)
        and any(isinstance(side, ast.Name) and side.id == "__name__" for side in (each.test.left, *each.test.comparators))
        and each.lineno <= call.lineno <= (each.body[-1].end_lineno or each.lineno)
        for each in tree.body
    )
