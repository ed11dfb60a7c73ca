"""Secrets the process knows by value, and the disguises they may wear.

A registered secret is looked for as it is and as base64 (at each of three alignments), base64url, base32,
hexadecimal, percent, JSON, ``repr`` and HTML encodings, since a client library may print any of them.
"""

from __future__ import annotations

import base64
import re

__all__ = ["KnownSecrets"]

_SHORTEST = 4
_SHORTEST_DISGUISE = 8
_LONG_RUN = re.compile(r"[A-Za-z0-9_+/-]{16}")


class KnownSecrets:
    """The registered secrets of one redactor.

    ``always`` holds the needles that the cheap clean-line proof would not notice by itself.
    """

    def __init__(self) -> None:
        self.needles: tuple[str, ...] = ()
        self.always: tuple[str, ...] = ()

    def add(self, secret: str) -> bool:
        """Look for ``secret`` from now on; False when it is too short (under 4) to be told from ordinary text."""
        if len(secret) < _SHORTEST:
            return False
        texts = {secret, *(line for line in secret.split("\n") if len(line) >= 16)}
        found = {disguise for text in texts for disguise in _disguises(text)}
        self.needles = tuple(sorted({*self.needles, *found}, key=len, reverse=True))
        self.always = tuple(needle for needle in self.needles if _LONG_RUN.search(needle) is None)
        return True

    def scrub(self, text: str, marker: str) -> tuple[str, int]:
        """``text`` with every registered secret replaced, and how many were."""
        hits = 0
        for needle in self.needles:
            if needle in text:
                hits += text.count(needle)
                text = text.replace(needle, marker)
        return text, hits


def _disguises(secret: str) -> set[str]:
    import html
    import json
    import zlib
    from urllib.parse import quote, quote_plus

    octets = secret.encode("utf-8", "surrogatepass")
    found = {
        octets.hex(), octets.hex().upper(), octets.hex(":"), *_base64(octets), *_base32(octets),
        quote(octets, safe=""), quote(octets), quote_plus(octets), "".join(f"%{octet:02x}" for octet in octets),
        "".join(f"%{octet:02X}" for octet in octets), json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1], html.escape(secret),
        base64.b64encode(zlib.compress(octets)).decode(), "".join(f"\\x{octet:02x}" for octet in octets),
        "".join(f"\\u{ord(letter):04x}" for letter in secret),
    }  # fmt: skip
    return {secret, *(disguise for disguise in found if len(disguise) >= _SHORTEST_DISGUISE)}


def _base64(octets: bytes) -> set[str]:
    found = set()
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + octets).decode().rstrip("=")
        inner = encoded[(0, 2, 3)[lead] :]
        if (lead + len(octets)) % 3:
            inner = inner[:-1]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found


def _base32(octets: bytes) -> set[str]:
    whole = base64.b32encode(octets).decode().rstrip("=")
    return {whole[:-1], whole[:-1].lower()}
