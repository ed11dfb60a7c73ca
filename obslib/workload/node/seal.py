"""Checksums beside lines and places, because a disk that flips a bit says nothing.

A line's covers whose it is and which one: no line is ever taken for another, or for another workload's. What does not
match raises ValueError, and the whole file is given up as broken.
"""

from __future__ import annotations

from zlib import crc32

from obslib.workload.node.look import Place

__all__ = ["check", "line_seal", "place_seal"]


def line_seal(instance_id: str, boot_id: str, seq: int, ts: float, stream: str, line: bytes) -> int:
    """The checksum of a line."""
    return crc32(line, crc32(f"{instance_id} {boot_id} {seq} {ts!r} {stream}".encode()))


def place_seal(boot_id: str, stream: str, place: Place) -> int:
    """The checksum of a console's place: read again from a wrong one, lines would come twice."""
    return crc32(f"{boot_id} {stream} {place.position} {place.is_skipping}".encode())


def check(what: str, found: int | None, wanted: int) -> None:
    """Raise ValueError unless the checksums are the same."""
    if found != wanted:
        raise ValueError(f"{what} is not what was written; the disk has changed it")
