r"""A record as the API tells it: the entry of platform facts §15, with what names it and what marks a gap.

``line`` is text. Bytes that are no UTF-8 show as ``\xNN`` in it, and then, and only then, ``line_base64`` holds the bytes.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from obslib.workload.markers import Marker, Record
from obslib.workload.stored import StoredEntry

__all__ = ["told"]


def told(record: Record) -> dict[str, Any]:
    """The members of one line of NDJSON, or of one item. Markers have ``kind``, ``reason``, ``count`` and ``is_exact``."""
    if isinstance(record, Marker):
        return _marker(record)
    entry, gap = record.entry, record.entry.gap
    members = {**_placed(record), "stream": entry.stream, **_line(entry.line), "truncated": entry.truncated}
    if gap is not None:
        members |= {"kind": "lines_lost", "reason": gap.reason, "count": gap.lines, "is_exact": gap.is_exact}
    return members


def _marker(marker: Marker) -> dict[str, Any]:
    members = {**_placed(marker.before), "stream": "", "line": "", "truncated": False}
    if marker.kind == "lines_skipped":  # of any instances, so it is none's
        members |= {"process_type": "", "instance_id": "", "node_id": "", "boot_id": "", "seq": 0}
    else:
        members["seq"] -= marker.count
    return {**members, "kind": marker.kind, "reason": marker.reason, "count": marker.count, "is_exact": True}


def _placed(found: StoredEntry) -> dict[str, Any]:
    stamp, entry = found.stamp, found.entry
    return {
        "ts": entry.ts, "org_id": stamp.org_id, "app_id": stamp.app_id, "env_id": stamp.env_id,
        "process_type": stamp.process_type, "instance_id": entry.instance_id, "node_id": stamp.node_id,
        "boot_id": entry.boot_id, "seq": entry.seq, "position": found.position,
    }  # fmt: skip


def _line(line: bytes) -> dict[str, str]:
    try:
        return {"line": line.decode()}
    except UnicodeDecodeError:
        return {"line": line.decode(errors="backslashreplace"), "line_base64": b64encode(line).decode()}
