"""The agent that takes secrets out of values and texts before they leave the process (LOG-10).

Each replacement is counted under ``log_redactions_total{kind}`` and leaves ``[redacted:<rule>]``, never an echo
of what was there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from obslib.catalog.common import LOG_REDACTIONS, RedactionKind
from obslib.redaction import marks, shapes, suspicion
from obslib.redaction.invisible import has_invisible, visible
from obslib.redaction.known import KnownSecrets
from obslib.redaction.names import is_secret_name
from obslib.redaction.tokens import scrub_tokens
from obslib.redaction.walk import CUT, Walk, bounded, describe
from obslib.tally import Tally

__all__ = ["Redactor"]

_LONGEST_INPUT = 32_768
_CUT_EDGE = 1_024
_LONGEST_NAME = 128
_LONGEST_NAME_READ = 1_024
_MOST_NAMES = 4_096


class Redactor:
    """Finds secrets by type, by name, by shape and, once registered, by value.

    Safe from any thread. Time is linear in the length of the text; text past 32 Ki characters is cut off. What is left is
    looked through, and its last Ki, or as much as the longest registered secret, given up as well: there a secret might
    have lost the part that gives it away.
    """

    def __init__(self, tally: Tally) -> None:
        self._cells = {kind: tally.cell(LOG_REDACTIONS, kind=cast(RedactionKind, kind)) for kind in marks.KINDS}
        self._known = KnownSecrets()
        self._observers: list[Callable[[], None]] = []
        self._clean_names: set[str] = set()

    def value(self, value: object, key: str = "") -> object:
        """``value`` as plain JSON values (dict, list, str, int, float, bool, None) without secrets; never raises.

        ``key`` is the name it goes by: under a secret name everything but None, True and False is replaced. Bounds:
        depth 8, 2 000 nodes, 64 Ki characters in all, 16 Ki in one text; what does not fit becomes ``…``.
        Integers past 64 bits become text, NaN and infinities None.
        """
        return Walk(self.text, self.name, self._count).value(value, key)

    def text(self, text: str) -> str:
        """Free text without secrets, valid as UTF-8 (lone surrogates are written as escapes); never raises."""
        if type(text) is not str:
            text = str.__str__(text) if isinstance(text, str) else describe(text)
        if len(text) > _LONGEST_INPUT:
            return self._looked_through(text[:_LONGEST_INPUT])[: -self._edge()] + CUT
        return self._looked_through(text)

    def name(self, name: str) -> str:
        """The name of a field, key or attribute without secrets, at most 128 characters; never raises.

        Names come again and again, so those that need no change are remembered until the next ``register``.
        """
        clean_names = self._clean_names
        if name in clean_names:
            return name
        clean = bounded(self.text(name[:_LONGEST_NAME_READ]), _LONGEST_NAME)
        if clean == name:
            if len(clean_names) >= _MOST_NAMES:
                clean_names.clear()
            clean_names.add(name)
        return clean

    def is_clean(self, text: str) -> bool:
        """Whether ``text`` provably needs no look; False decides nothing. Raises UnicodeEncodeError on a lone surrogate.

        Several values can be proven at once when they are joined by ``|``.
        """
        if not suspicion.is_clean(text):
            return False
        always = self._known.always
        return not always or not any(needle in text for needle in always)

    def is_secret_name(self, key: str) -> bool:
        """Whether a field of this name holds a secret, in any spelling."""
        return is_secret_name(key)

    def register(self, secret_text: str) -> bool:
        """Replace this text, plain or encoded, wherever it appears from now on.

        False when it is shorter than 4 characters, which could not be told from ordinary text.
        """
        is_kept = self._known.add(secret_text)
        self._clean_names = set()
        for forget in self._observers:
            forget()
        return is_kept

    def on_register(self, forget: Callable[[], None]) -> None:
        """Call ``forget`` after each registration, so that nobody keeps a proof that no longer holds."""
        self._observers.append(forget)

    def _looked_through(self, text: str) -> str:
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode()
        return text if self.is_clean(text) else self._scrub(text)

    def _edge(self) -> int:
        """How much of the end of a text that was cut may be the beginning of a secret nobody can recognise."""
        return max([_CUT_EDGE, *map(len, self._known.needles[:1])])  # the longest needle comes first

    def _scrub(self, text: str) -> str:
        text = self._scrub_known(text)
        if has_invisible(text):
            seen = visible(text)
            clean = self._scrub_shapes(self._scrub_known(seen))
            if clean != seen:
                return marks.settle(clean)
        return marks.settle(self._scrub_shapes(text))

    def _scrub_known(self, text: str) -> str:
        if self._known.needles:
            text, hits = self._known.scrub(text, marks.mark("typed"))
            self._cells["typed"].add(hits)
        return text

    def _scrub_shapes(self, text: str) -> str:
        if "-----BEGIN " in text:
            text = shapes.scrub_pem(text, self._mark)
        text = shapes.scrub_urls(text, self._mark)
        text = shapes.scrub_credentials(text, self._mark)
        text = scrub_tokens(text, self._mark)
        if "-p" in text:
            text = shapes.scrub_mysql(text, self._mark)
        text = shapes.scrub_assignments(text, self._mark)
        if "-u" in text:
            text = shapes.scrub_user_flags(text, self._mark)
        return shapes.scrub_runs(text, self._mark)

    def _mark(self, kind: str) -> str:
        self._cells[kind].add()
        return marks.mark(kind)

    def _count(self, kind: str) -> str:
        self._cells[kind].add()
        return marks.marker(kind)
