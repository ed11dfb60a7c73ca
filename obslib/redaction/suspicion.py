"""The cheap proof that a text holds no secret.

Almost every text is clean, so before any pattern runs a few searches at the speed of C ask whether one could match
at all. They only decide; what they suspect is looked at, value by value.
"""

from __future__ import annotations

from obslib.redaction.invisible import has_invisible

__all__ = ["is_clean"]

_RUN_LENGTH = 16
_RUN = "x" * _RUN_LENGTH
_CLASSES = bytes(
    ord("x") if octet < 128 and (chr(octet).isalnum() or chr(octet) in "_-+/.~") else ord(" ") for octet in range(256)
)


def is_clean(text: str) -> bool:
    """Whether ``text`` provably holds nothing that a pattern of this room could match.

    False means only that it must be looked at: a ``:``, ``=`` or ``>`` that may assign (or one in percent encoding), a
    quoted word before a comma, which may be the name in a pair, a word that announces a credential, a flag, a character
    that cannot be seen, or a run of at least 16 token characters. Raises UnicodeEncodeError on a lone surrogate.
    """
    if ":" in text or "=" in text or ">" in text or "'," in text or '",' in text:
        return False
    if "%" in text and ("%3" in text or "%25" in text):
        return False
    if has_invisible(text):
        return False
    if " " in text or "\t" in text or "\n" in text:
        low = text.lower()
        if "pass" in low or "bearer" in low or "basic" in low or "--" in low or "-u" in low:
            return False
        if "mysql" in low or "mariadb" in low:
            return False
    classes = text.encode().translate(_CLASSES)
    return len(classes) < _RUN_LENGTH or _RUN not in classes.decode("ascii")
