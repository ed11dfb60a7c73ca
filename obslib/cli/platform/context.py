"""What the command remembers and whom it means: the saved context, and the target resolved from it and the flags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.flags import GlobalFlags, refuse_empty
from obslib.ids import is_id

__all__ = ["PREFIXES", "SavedContext", "Target", "check_id", "resolve"]

PREFIXES = {"org": "org", "app": "app", "env": "env", "route": "rt", "instance": "inst", "release": "rel", "deploy": "dep"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedContext:
    """The saved context: ``$PLATFORM_CONTEXT`` or ``~/.config/platform/context.json``, overridden by ``$PLATFORM_API``
    and ``$PLATFORM_TOKEN``.
    """

    path: Path
    api: str = ""
    token: str = field(default="", repr=False)
    org: str = ""
    app: str = ""
    env: str = ""

    @staticmethod
    def load(environment: Mapping[str, str]) -> SavedContext:
        """Read it; a missing file is an empty context, a damaged one raises CliFailure."""
        path = Path(environment.get("PLATFORM_CONTEXT") or Path.home() / ".config" / "platform" / "context.json")
        saved = _read(path)
        for key, variable in (("api", "PLATFORM_API"), ("token", "PLATFORM_TOKEN")):
            if environment.get(variable):
                saved[key] = environment[variable]
        return SavedContext(path=path, **saved)


def _read(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text())
        if not isinstance(content, dict):
            raise ValueError
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CliFailure(Category.INVALID_USAGE, f"the context {str(path)!r} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CliFailure(
            Category.INVALID_USAGE,
            f"the context {str(path)!r} is not a JSON object",
            hint="it holds api, token, org, app and env as text",
        ) from None
    known = {key: content.get(key) or "" for key in ("api", "token", "org", "app", "env")}
    wrong = [key for key, value in known.items() if not isinstance(value, str)]
    if wrong:
        raise CliFailure(Category.INVALID_USAGE, f"{wrong[0]} in the context {str(path)!r} is not text")
    return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Org, app and env by id or name; what nobody named is empty."""

    org: str = ""
    app: str = ""
    env: str = ""

    def need(self, *parts: str) -> Target:
        """Return itself, if every part is named and well-formed; raises CliFailure for the first that is not."""
        for part in parts:
            value = getattr(self, part)
            if not value:
                raise CliFailure(
                    Category.INVALID_USAGE,
                    f"no {part} is named",
                    hint=f"add --{part} NAME, or save {part} in the context",
                )
            check_id(part, value)
        return self

    def with_env(self, named: str | None) -> Target:
        """Replace the env by the one given as an argument, which wins over flags and context; raises CliFailure if empty."""
        if named is None:
            return self
        refuse_empty("ENV", named, hint="name the env, or leave it out for the saved context")
        return replace(self, env=named)


def resolve(flags: GlobalFlags, saved: SavedContext, manifest: Mapping[str, str] | None = None) -> Target:
    """Flags first, then the manifest, then the saved context."""
    given = manifest or {}
    return Target(
        org=flags.org or given.get("org", "") or saved.org,
        app=flags.app or given.get("app", "") or saved.app,
        env=flags.env or given.get("env", "") or saved.env,
    )


def check_id(kind: str, value: str) -> str:
    """``value``, unless it pretends to be an id and is none; that raises CliFailure. Names of orgs, apps and envs pass."""
    prefix = PREFIXES[kind]
    may_be_name = kind in ("org", "app", "env", "route") and not value.startswith(f"{prefix}_")
    if value and (may_be_name or is_id(value, prefix)):
        return value
    raise CliFailure(
        Category.INVALID_USAGE,
        f"malformed id {value!r}: the id of {'an' if kind[0] in 'aeio' else 'a'} {kind} is {prefix}_ and 26 characters",
        hint=f"list them with: platform {kind}s list" if kind in ("app", "env", "route", "instance") else "",
        resource=(kind, value, ""),
    )
