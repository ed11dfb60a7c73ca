"""Which open label values this process has admitted.

A domain belongs to the process, not to a family: a value is true in every family or ``_other`` in every family
that sees it later, and its place is free again when the last series that carries it is gone.
"""

from __future__ import annotations

from obslib.catalog import Joint, Label

__all__ = ["Domains", "Slots", "Ties"]

Key = tuple[str, ...]


class Slots:
    """The places of one domain. Each is held once per series; the caller holds the registry's lock."""

    __slots__ = ("_at_most", "_held", "_reserved")

    def __init__(self, at_most: int, reserved: frozenset[Key] = frozenset()) -> None:
        self._at_most = at_most
        self._reserved = reserved
        self._held: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._held)

    def has_room(self, key: Key) -> bool:
        """Whether ``key`` is admitted already, reserved, or could still be."""
        return key in self._held or key in self._reserved or len(self._held) < self._at_most

    def take(self, key: Key) -> None:
        """Hold ``key`` once more; a reserved key needs no place."""
        if key not in self._reserved:
            self._held[key] = self._held.get(key, 0) + 1

    def release(self, key: Key) -> None:
        """Let go of ``key`` once; the last one frees its place."""
        left = self._held.get(key, 0) - 1
        if left > 0:
            self._held[key] = left
        else:
            self._held.pop(key, None)


class Ties:
    """What each determining value determines: ``env_id`` A belongs to ``org_id`` B, and to no other."""

    __slots__ = ("_tied",)

    def __init__(self) -> None:
        self._tied: dict[Key, tuple[str, int]] = {}

    def tied(self, key: Key) -> str | None:
        """The value tied to ``key`` (label, value, determined label), if any series has tied one."""
        found = self._tied.get(key)
        return found[0] if found else None

    def take(self, key: Key, value: str) -> None:
        """Tie ``value`` to ``key``, once more."""
        tied, held = self._tied.get(key, (value, 0))
        self._tied[key] = (tied, held + 1)

    def release(self, key: Key) -> None:
        """Loosen the tie once; the last one undoes it."""
        tied, held = self._tied.get(key, ("", 0))
        if held > 1:
            self._tied[key] = (tied, held - 1)
        else:
            self._tied.pop(key, None)


class Domains:
    """Every domain of one process."""

    def __init__(self) -> None:
        self.ties = Ties()
        self._slots: dict[Label | Joint, Slots] = {}

    def of(self, domain: Label | Joint) -> Slots:
        """The places of an open label, or of a joint domain."""
        found = self._slots.get(domain)
        if found is None:
            reserved = frozenset(domain.reserved) if isinstance(domain, Joint) else frozenset[Key]()
            found = self._slots[domain] = Slots(domain.at_most, reserved)
        return found
