"""OBS402: a readiness check that nobody gave a deadline."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from typing import ClassVar

from obslib.catalog.signals import DEFAULT_DEADLINE_S
from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import Binding, CheckBound, File
from obslib.lint.value import Kind, Value

__all__ = ["CheckWithoutDeadline"]


class CheckWithoutDeadline(Rule[CheckBound | Binding]):
    """A readiness check is bound without a deadline, or with one that bounds nothing.

    Why: a check that hangs tells nothing. Its deadline decides after how long it counts as unknown; only who knows what the
    check asks can choose it, and the library's second is as often too long as it is too short. One that is longer than the
    check's period makes the answer older than it promises to be.

    Fix: choose one where the check is declared, ``Check(…, deadline_s=0.5)``, or where it is bound:
    ``@obs.check(DECL, every=5, deadline=0.5)``. A deadline of up to a second may be longer than the period.
    """

    code = "OBS402"
    name = "check-without-deadline"
    on = (CheckBound, Binding)
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability, Verdict
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            @obs.check(s.DISK_OK)
            def disk() -> Verdict:
                return Verdict.ok()
        """,
        """
        from obslib import Observability, Verdict
        from obslib.catalog import Check, Importance

        SMTP_OK = Check(name="smtp", help="Mail goes out.", serves=("M-1",), importance=Importance.REQUIRED)

        def wire(obs: Observability) -> None:
            @obs.check(SMTP_OK, every=5, deadline=0.5)
            async def smtp() -> Verdict:
                return Verdict.ok()
        """,
        """
        from functools import partial
        from obslib import Observability, Verdict
        from obslib.catalog import Check, Importance

        SMTP_OK = Check(name="smtp", help="Mail goes out.", serves=("M-1",), importance=Importance.REQUIRED)

        def wire(obs: Observability) -> None:
            check = partial(obs.check, SMTP_OK)
            check(deadline=0.5)(lambda: Verdict.ok())
        """,
        """
        from obslib import Observability
        from obslib.catalog import Check as C, Importance

        CHECKS = {
            "smtp": C(name="smtp", help="Mail.", serves=("M-1",), importance=Importance.REQUIRED, deadline_s=0.5),
            "spool": C(name="spool", help="Room.", serves=("M-1",), importance=Importance.REQUIRED, deadline_s=0.2),
        }

        class Mail:
            def __init__(self, obs: Observability, asked) -> None:
                self.bound = [obs.health.check(CHECKS[name])(ask) for name, ask in asked.items()]
        """,
        """
        from obslib import Observability
        from obslib.catalog import Check

        def register(obs: Observability, declaration: Check, deadline: float, verdict) -> None:
            obs.check(declaration)(verdict)
            obs.check(declaration, **{"every": 0.5, "deadline": 1.0})(verdict)
            obs.check(declaration, deadline=deadline)(verdict)
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability, Verdict
        from obslib.catalog import Check, Importance

        SMTP_OK = Check(name="smtp", help="Mail goes out.", serves=("M-1",), importance=Importance.REQUIRED)

        def wire(obs: Observability) -> None:
            @obs.check(SMTP_OK)
            def smtp() -> Verdict:
                return Verdict.ok()
        """,
        """
        from obslib import Observability, Verdict
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            obs.check(s.DISK_OK, deadline=float("inf"))(lambda: Verdict.ok())
        """,
        """
        import math
        from obslib import Observability, Verdict
        from obslib.catalog.platform import data_plane as s

        class Disks:
            def __init__(self, obs: Observability) -> None:
                self.obs = obs

            def wire(self) -> None:
                [self.obs.check(s.DISK_OK, deadline=limit)(Verdict.ok) for limit in (math.inf,)]
                self.obs.check(s.DISK_OK, deadline=math.inf)(Verdict.ok)
        """,
        """
        from functools import partial
        from obslib import Observability, Verdict
        from obslib.catalog import Check as C, Importance

        SMTP_OK = C(name="smtp", help="Mail.", serves=("M-1",), importance=Importance.REQUIRED, deadline_s=None)

        def wire(obs: Observability) -> None:
            check = partial(obs.check, SMTP_OK, every=5)
            check()(Verdict.ok)
        """,
        """
        from obslib import Observability, Verdict
        from obslib.catalog.platform import data_plane as s

        SETTINGS = {"every": 5, "deadline": 30}

        def wire(obs: Observability) -> None:
            @obs.check(s.DISK_OK, **SETTINGS)
            def disk() -> Verdict:
                return Verdict.ok()
        """,
        """
        from obslib import Observability, Verdict
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            obs.health.check(s.DISK_OK, deadline=0)(Verdict.ok)
        """,
        """
        from obslib import Observability
        from obslib.catalog import Check, Importance

        LOOP_OK = Check(name="loop", help="The loop moves.", serves=("M-1",), importance=Importance.REQUIRED)

        def wire(obs: Observability, loop) -> None:
            obs.health.watch(LOOP_OK, loop)
        """,
    )

    def check(self, use: CheckBound | Binding, file: File) -> Iterator[Problem]:
        """Look at the call, then at the declaration."""
        if isinstance(use, Binding):
            if use.through == "watch" and _is_open(use.value):
                yield Problem(use.node, _unchosen(use.value, "deadline_s= in its declaration"))
            return
        given = use.arguments.get("deadline")
        if given is None:
            if _is_open(use.value) and not use.arguments.unclear:
                yield Problem(use.node, _unchosen(use.value, "deadline=, or deadline_s= in its declaration"))
            return
        seconds = _seconds(given, use, file)
        every = _seconds(use.arguments.get("every"), use, file)
        if seconds is None:
            return
        if math.isnan(seconds):
            if _is_open(use.value):
                yield Problem(use.where(given), _unchosen(use.value, "deadline=, or deadline_s= in its declaration"))
        elif not 0 < seconds < math.inf:
            yield Problem(use.where(given), f"a deadline of {seconds:g} s bounds nothing; choose one such as 0.5")
        elif every is not None and seconds > max(every, DEFAULT_DEADLINE_S):
            yield Problem(
                use.where(given),
                f"a deadline of {seconds:g} s is longer than the check's period of {every:g} s; choose a shorter one",
            )


def _is_open(value: Value) -> bool:
    """Whether a check is declared, and its declaration chooses no deadline."""
    signal = value.signal
    return signal is not None and signal.kind == "Check" and not signal.has_deadline


def _unchosen(value: Value, how: str) -> str:
    name = value.signal.name if value.signal else ""
    return f"check {name!r} has no deadline of its own; choose one with {how}"


def _seconds(node: ast.expr | None, use: CheckBound, file: File) -> float | None:
    """The number of seconds, where it is written down; not a number for None."""
    if isinstance(node, ast.Call) and node.args and file.value(node.func, use.scope).name == "builtins.float":
        node = node.args[0]
    value = file.value(node, use.scope)
    if value.kind is Kind.IMPORTED and value.name == "math.inf":
        return math.inf
    texts = value.texts if value.kind is Kind.TEXT else None
    if texts is None or len(texts) != 1:
        return None
    [text] = texts
    try:
        return math.nan if text == "None" else float(text)
    except ValueError:
        return None
