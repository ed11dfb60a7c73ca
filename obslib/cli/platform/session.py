"""One run of the command: flags, target, screen and API, put together once and passed on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from obslib.cli.platform.api import Api, path
from obslib.cli.platform.context import SavedContext, Target, resolve
from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.flags import GlobalFlags
from obslib.cli.platform.screen import Screen
from obslib.clock import Clock, SystemClock
from obslib.ids import SystemIds

__all__ = ["Session"]

_EMERGENCY_S = 3_600.0


@dataclass(kw_only=True)
class Session:
    """What a subcommand works with. The API is only looked for when it is first used."""

    flags: GlobalFlags
    saved: SavedContext
    clock: Clock = field(default_factory=SystemClock)

    @cached_property
    def screen(self) -> Screen:
        """Where everything is written; the token never is."""
        return Screen(is_json=self.flags.is_json, secrets=(self.saved.token.strip(),))

    @cached_property
    def api(self) -> Api:
        """The API; raises CliFailure when nobody said where it is or who asks."""
        return Api(
            self.saved.api.strip(),
            self.saved.token.strip(),
            ids=SystemIds(self.clock),
            screen=self.screen,
            is_debug=self.flags.is_debug,
            headers=self._emergency(),
        )

    def _emergency(self) -> dict[str, str]:
        """What an operator declares to read in a tenant's org: why, and for an hour from now."""
        reason = self.flags.emergency
        if not reason:
            return {}
        if not (reason.isascii() and reason.isprintable()):
            raise CliFailure(
                Category.INVALID_USAGE, "the reason of --emergency is not plain ASCII", hint="write it without accents"
            )
        until = datetime.fromtimestamp(self.clock.now() + _EMERGENCY_S, UTC).isoformat()
        return {"X-Emergency-Reason": reason, "X-Emergency-Until": until}

    def close(self) -> None:
        """Close what was opened."""
        if "api" in self.__dict__:
            self.api.close()

    @property
    def trace_id(self) -> str:
        """The trace of this command; empty while nothing was called."""
        return self.api.trace_id if "api" in self.__dict__ else ""

    def target(self, *parts: str, manifest: Mapping[str, str] | None = None, env: str | None = None) -> Target:
        """Whom the command means, with these parts required."""
        return resolve(self.flags, self.saved, manifest).with_env(env).need(*parts)

    def app_path(self, target: Target, *more: str) -> str:
        """A path under the target's app."""
        return path("orgs", target.org, "apps", target.app, *more)

    def env_path(self, target: Target, *more: str) -> str:
        """A path under the target's env."""
        return self.app_path(target, "envs", target.env, *more)

    def confirm(self, question: str) -> None:
        """Go on only if the user says so, or said ``--yes``; without a way to ask, raises CliFailure."""
        if self.flags.is_confirmed:
            return
        if not self.flags.may_ask or self.flags.is_json or not sys.stdin.isatty():
            raise CliFailure(Category.INVALID_USAGE, f"{question} needs a yes", hint="add --yes")
        self.screen.note(f"{question}? [y/N]", style="bold")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise CliFailure(Category.FAILURE, "nothing was changed")
