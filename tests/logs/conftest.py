from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from obslib.catalog.platform import PLATFORM
from obslib.classify import Classifier
from obslib.guard import Guard
from obslib.logs import Logger, LogPipeline, logger
from obslib.redaction import Redactor
from obslib.sinks import MemorySink, Sink
from obslib.tally import Tally
from obslib.testing import FixedClock

NODE = "node_01J00000000000000000000000"
TIMESTAMP = "2025-12-17T19:33:20.000000Z"


@dataclass(kw_only=True)
class Rig:
    """One pipeline with still time, its logger, and everything it reports to."""

    level: str = "debug"
    component: str = "agent"
    console: bool = False
    sink: Sink = field(default_factory=MemorySink)
    trace: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        self.clock = FixedClock()
        self.tally = Tally()
        self.guard = Guard(self.tally)
        self.redactor = Redactor(self.tally)
        self.pipeline = LogPipeline(
            catalog=PLATFORM, component=self.component, constant={"node_id": NODE}, sink=self.sink, redactor=self.redactor,
            clock=self.clock, guard=self.guard, level=self.level, trace_ids=lambda: self.trace, classifier=Classifier(),
            console=self.console,
        )  # fmt: skip
        self.log: Logger = logger(self.pipeline)

    def lines(self) -> list[dict[str, Any]]:
        """Every line, parsed by a parser that refuses duplicate keys and anything but strict JSON."""
        assert isinstance(self.sink, MemorySink)
        return [_strict(line) for line in self.sink.lines]

    def line(self) -> dict[str, Any]:
        """The only line."""
        (line,) = self.lines()
        return line

    def noted(self) -> dict[str, int]:
        """What the guard counted, by kind, and the redactions, by kind with ``redacted`` before it."""
        found = {}
        for family, values, total in self.tally.totals():
            if total and family.name == "telemetry_guard_errors_total":
                found[values[0]] = total
            elif total and family.name == "log_redactions_total":
                found[f"redacted {values[0]}"] = total
        return found


def _strict(line: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs), pairs
        return dict(pairs)

    def refuse(constant: str) -> object:
        raise AssertionError(constant)

    assert b"\n" not in line
    parsed: dict[str, Any] = json.loads(line.decode(), object_pairs_hook=unique, parse_constant=refuse)
    assert {"timestamp", "level", "component", "msg", "request_id", "trace_id"} <= parsed.keys()
    return parsed


@pytest.fixture
def rig() -> Rig:
    """A pipeline of the agent that writes every level."""
    return Rig()


@pytest.fixture(scope="session")
def make_rig() -> Callable[..., Rig]:
    """Makes a pipeline with another level, sink or component."""
    return Rig


@pytest.fixture
def expected() -> Callable[..., dict[str, Any]]:
    """A whole line as a dict: the mandatory and constant fields, and those given."""

    def build(level: str, msg: str, /, **fields: object) -> dict[str, Any]:
        mandatory = {"timestamp": TIMESTAMP, "level": level, "component": "agent", "msg": msg, "request_id": "", "trace_id": ""}
        return {**mandatory, "node_id": NODE, **fields}

    return build
