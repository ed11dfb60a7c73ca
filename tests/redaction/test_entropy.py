"""Random strings are told from ids, digests and identifiers."""

from __future__ import annotations

import hashlib
import random
import string
import uuid

import pytest

from obslib.ids import ulid
from obslib.redaction import Redactor
from obslib.redaction.entropy import looks_random

BASE62 = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    ("alphabet", "length", "share"),
    [(BASE62, 24, 0.9), (BASE62, 32, 0.97), (BASE62 + "-_", 43, 0.97), (BASE62 + "+/", 40, 0.97), (BASE62[26:], 32, 0.5)],
)
def test_random_strings_are_mostly_found(alphabet: str, length: int, share: float) -> None:
    """Of keys drawn at random, at least the given share looks random."""
    dice = random.Random(1)
    drawn = ["".join(dice.choices(alphabet, k=length)) for _ in range(200)]
    assert sum(map(looks_random, drawn)) / len(drawn) >= share


def test_ids_digests_and_uuids_are_never_altered(redactor: Redactor) -> None:
    """No id, ULID, UUID, trace id or digest changes, alone or in a sentence."""
    dice = random.Random(2)
    for _ in range(200):
        ident = ulid(dice.getrandbits(48), dice.getrandbits(80))
        digest = hashlib.sha256(dice.randbytes(8))
        for text in (
            f"inst_{ident}", ident, ident.lower(), str(uuid.UUID(int=dice.getrandbits(128))), f"{dice.getrandbits(128):032x}",
            f"sha256:{digest.hexdigest()}", digest.hexdigest(), hashlib.sha1(dice.randbytes(8)).hexdigest(),
            f"00-{dice.getrandbits(128):032x}-{dice.getrandbits(64):016x}-01", str(dice.getrandbits(64)), str(dice.random()),
        ):  # fmt: skip
            assert redactor.text(text) == text
            assert redactor.value(text, "digest") == text
            assert redactor.text(f"saw {text} twice") == f"saw {text} twice"


@pytest.mark.parametrize(
    "text",
    [
        "AbstractSingletonProxyFactoryBean", "getUserByIdFromHTTPServer2", "/usr/lib/python3/dist-packages/module/file.py",
        "web-7d9f8b6c5d-x2x4z", "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64", "org_quota_exceeded:max_total_memory_bytes",
        "SecureSign_RootCA11.pem", "2026-01-31T12:00:00.000250Z", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ABCDEFGHIJKLMNOPQRSTUVWX",
        "https://example.org/docs/architecture/09-observability.md", "instance-0001-instance-0002-instance-0003",
    ],
)  # fmt: skip
def test_identifiers_stay(redactor: Redactor, text: str) -> None:
    """Names in any case style, paths and versions are not random."""
    assert redactor.text(text) == text


def test_a_ssh_fingerprint_stays(redactor: Redactor) -> None:
    """What a digest's name announces is a digest, also in base 64."""
    text = "host key SHA256:uNiVztksCsDhcc0u9e8BrrJXVGw3aB7dLmJ9kQe2RtY"
    assert redactor.text(text) == text
