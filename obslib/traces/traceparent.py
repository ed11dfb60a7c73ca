"""The W3C Trace Context headers, read from anybody and written for everybody (TRC-04).

A room of its own because what arrives here is hostile: any bytes, any length. Reading never raises; a header
that breaks the grammar counts as not sent, and nothing that is not printable ASCII is ever passed on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["KEEP_MEMBER", "OUR_MEMBER", "Parent", "State", "parse", "read"]

OUR_MEMBER = "obs"
KEEP_MEMBER = "obs=k"
"""The keep flag: a trace that carries it is kept in every process it passes through."""

_VERSION_00 = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_VERSION_LATER = re.compile(r"(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-[\x21-\x7e]*)?")
_MEMBER = re.compile(
    r"([a-z][_0-9a-z\-*/]{0,255}|[a-z0-9][_0-9a-z\-*/]{0,240}@[a-z][_0-9a-z\-*/]{0,13})"
    r"=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])"
)
_RANDOMNESS = re.compile(r"rv:([0-9a-f]{14})")
_MAX_TRACEPARENT = 512
_MAX_TRACESTATE = 8192
_MAX_MEMBERS = 32
_MAX_VALUE = 256


class Parent(NamedTuple):
    """A span in another process: its ids (non-zero), its flags and the ``tracestate`` that came along.

    ``tracestate`` is empty or valid by W3C Trace Context §3.3. A named tuple, because one is made for every request.
    """

    trace_id: int
    span_id: int
    flags: int
    tracestate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a ``tracestate`` says to us.

    ``randomness`` is the 56-bit ``rv`` of OpenTelemetry's member, ``ot`` that member's parts but for ``th``, which each
    process sets for itself; ``others`` are the members that we only pass on.
    """

    keep_flag: bool = False
    randomness: int | None = None
    ot: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @staticmethod
    def of(tracestate: str) -> State:
        """Read a valid ``tracestate``."""
        if not tracestate:
            return _NO_STATE
        members = tracestate.split(",")
        ot = next((tuple(m[3:].split(";")) for m in members if m.startswith("ot=")), ())
        randomness = next((found[1] for part in ot if (found := _RANDOMNESS.fullmatch(part))), None)
        return State(
            keep_flag=KEEP_MEMBER in members,
            randomness=None if randomness is None else int(randomness, 16),
            ot=tuple(part for part in ot if not part.startswith("th:")),
            others=tuple(m for m in members if not m.startswith((f"{OUR_MEMBER}=", "ot="))),
        )

    def header(self, threshold_hex: str) -> str:
        """The ``tracestate`` to send on, our members first; ``threshold_hex`` is empty when no ratio applied."""
        if not self.keep_flag and not self.ot and not self.others:
            return f"ot=th:{threshold_hex}" if threshold_hex else ""
        ot = ";".join((f"th:{threshold_hex}", *self.ot) if threshold_hex else self.ot)
        members = ((KEEP_MEMBER,) if self.keep_flag else ()) + ((f"ot={ot}",) if 0 < len(ot) <= _MAX_VALUE else ())
        return ",".join((members + self.others)[:_MAX_MEMBERS])


_NO_STATE = State()


def parse(traceparent: str | bytes | None, tracestate: str | bytes | None = None) -> Parent | None:
    """Read the two headers; ``None`` unless ``traceparent`` is valid.

    A bad ``tracestate`` is dropped whole, as W3C asks, and the parent stands.
    """
    header = traceparent if type(traceparent) is str else _text(traceparent)
    found = _VERSION_00.fullmatch(header) or _later_version(header)
    if found is None:
        return None
    trace_id, span_id = int(found[1], 16), int(found[2], 16)
    if not trace_id or not span_id:
        return None
    return Parent(trace_id, span_id, int(found[3], 16), _valid_state(_text(tracestate)) if tracestate else "")


def read(carrier: Mapping[str, object]) -> Parent | None:
    """Read the parent from headers; names are lower case unless the mapping ignores case.

    A value may be text, bytes or a list. Two ``traceparent`` headers contradict each other and count as none;
    several ``tracestate`` headers are one, joined by commas.
    """
    traceparent = carrier.get("traceparent")
    tracestate = carrier.get("tracestate")
    if isinstance(traceparent, (list, tuple)):
        traceparent = traceparent[0] if len(traceparent) == 1 else None
    if not isinstance(traceparent, (str, bytes)):
        return None
    if tracestate is not None and not isinstance(tracestate, (str, bytes)):
        tracestate = ",".join(map(_text, tracestate[:_MAX_MEMBERS])) if isinstance(tracestate, (list, tuple)) else None
    return parse(traceparent, tracestate)


def _later_version(header: str) -> re.Match[str] | None:
    """A header with white space around it, or of a version that may add fields after ours (W3C §3.2.4)."""
    if len(header) > _MAX_TRACEPARENT:
        return None
    header = header.strip(" \t")
    return _VERSION_00.fullmatch(header) or _VERSION_LATER.fullmatch(header)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value if isinstance(value, str) else ""


def _valid_state(header: str) -> str:
    if len(header) > _MAX_TRACESTATE:
        return ""
    members: dict[str, str] = {}
    for part in header.split(","):
        member = part.strip(" \t")
        if not member:
            continue
        found = _MEMBER.fullmatch(member)
        if found is None or found[1] in members or len(members) == _MAX_MEMBERS:
            return ""
        members[found[1]] = member
    return ",".join(members.values())
