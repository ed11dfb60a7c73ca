"""What a miniplatform process is told when it starts: where its state is, who it talks to, how fast it turns.

Arguments win over ``MINI_*`` variables, those over defaults. The timings are far shorter than a
platform's (the figure in each comment), so that a demo shows in seconds what takes minutes in life.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

__all__ = ["ConfigError", "NodeIdentity", "Timings"]


class ConfigError(ValueError):
    """A process was started with something missing or malformed; the message is for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Periods and limits in seconds, and two that count something; ``MINI_<NAME>`` overrides each."""

    heartbeat_s: float = 1.0  # 10
    silent_after_s: float = 5.0  # 60: node offline, worker or scheduler gone
    projector_poll_s: float = 0.1
    projection_wait_s: float = 5.0
    scheduler_period_s: float = 0.5  # 5
    agent_period_s: float = 0.5  # 5
    edge_period_s: float = 0.5  # 1
    health_interval_s: float = 0.5  # 10
    health_timeout_s: float = 1.0  # 2
    start_timeout_s: float = 10.0  # 120
    drain_s: float = 1.0  # 10
    backoff_base_s: float = 0.1
    backoff_cap_s: float = 30.0
    restarts: int = 5  # in restart_window_s, then the slot is given up
    restart_window_s: float = 300.0
    connect_timeout_s: float = 2.0
    sniff_timeout_s: float = 0.2
    max_connections: int = 10_000  # of one listener of the edge
    purge_every_s: float = 60.0  # 3600

    @staticmethod
    def from_environment() -> Timings:
        """Read the overrides; raises ConfigError naming the variable that is not a positive number."""
        given: dict[str, float] = {}
        for field in fields(Timings):
            variable = f"MINI_{field.name.upper()}"
            if variable in os.environ:
                given[field.name] = _positive(variable, os.environ[variable], is_count=isinstance(field.default, int))
        return Timings(**given)  # type: ignore[arg-type]  # every value is checked above


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity:
    """Who a node is: written once when it is enrolled, readable by its owner only."""

    node_id: str
    token: str
    name: str

    @staticmethod
    def load(path: Path) -> NodeIdentity:
        """Read an identity file; raises ConfigError when it is missing or not one."""
        import json

        try:
            content = json.loads(path.read_text())
            return NodeIdentity(node_id=content["node_id"], token=content["token"], name=content["name"])
        except FileNotFoundError:
            raise ConfigError(f"there is no node identity at {str(path)!r}; enroll the node first ('make up' does)") from None
        except (ValueError, KeyError, TypeError):
            raise ConfigError(f"the node identity at {str(path)!r} is damaged; enroll the node again") from None


def _positive(variable: str, text: str, *, is_count: bool) -> float:
    try:
        value = int(text) if is_count else float(text)
    except ValueError:
        value = 0
    if not value > 0:
        what = "whole number" if is_count else "number of seconds"
        raise ConfigError(f"{variable} is {text!r}; it must be a positive {what}")
    return value
