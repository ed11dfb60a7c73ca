"""A registered secret is found as it is and in every disguise."""

from __future__ import annotations

import base64
import html
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from obslib.redaction import Redactor
from obslib.redaction.known import KnownSecrets

SECRETS = ("tr0ub4dor&3 'x\"", "correct horse battery", "plainlowercaseword", "ünïcødé-pässwörd")
DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 inside": lambda s: base64.b64encode(b"a" + s.encode() + b"bc").decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(b"ab" + s.encode()).decode(),
    "base32": lambda s: base64.b32encode(s.encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "HEX": lambda s: s.encode().hex().upper(),
    "url": quote,
    "form": quote_plus,
    "json": lambda s: json.dumps(s),
    "repr": repr,
    "html": html.escape,
    "zlib": lambda s: base64.b64encode(zlib.compress(s.encode())).decode(),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("disguise", DISGUISES)
def test_no_disguise_hides_it(redactor: Redactor, secret: str, disguise: str) -> None:
    """Whatever encoding a library prints, at most a few characters at its edges remain."""
    assert redactor.register(secret)
    shown = DISGUISES[disguise](secret)
    text = redactor.text(f"sent {shown} away")
    assert "[redacted:" in text
    assert not any(shown[at : at + 8] in text for at in range(1, len(shown) - 8))


def test_short_ones_are_found_too(redactor: Redactor, counted: Callable[[], dict[str, int]]) -> None:
    """A secret of four characters is replaced in ordinary words, and counted."""
    assert redactor.register("pa55")
    assert redactor.text("my pa55 and pa55") == "my [redacted:typed] and [redacted:typed]"
    assert counted() == {"typed": 2}


def test_one_too_short_to_tell_is_not_kept(redactor: Redactor) -> None:
    """Three characters would redact half of every line, so they are refused."""
    assert not redactor.register("the")
    assert redactor.text("the end") == "the end"


def test_whoever_kept_a_proof_is_told(redactor: Redactor) -> None:
    """Caches of clean text are dropped when a secret is registered."""
    told: list[int] = []
    redactor.on_register(lambda: told.append(1))
    redactor.register("abcdefgh")
    assert told == [1]


def test_the_lines_of_a_key_are_known_one_by_one() -> None:
    """A multi-line secret is also found when only one of its lines is shown."""
    known = KnownSecrets()
    known.add("first line of the key\nsecond line of the key")
    assert known.scrub("saw second line of the key", "*") == ("saw *", 1)
