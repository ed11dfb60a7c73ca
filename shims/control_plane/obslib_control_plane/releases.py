"""Releases: each that is asked for, by whether it was made and whose fault it was when not (EXT-11)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from obslib import ErrorClass, Observability
from obslib.catalog.platform import delivery

__all__ = ["Releases"]

_OURS = frozenset({ErrorClass.TIMEOUT, ErrorClass.UNAVAILABLE, ErrorClass.DEPENDENCY, ErrorClass.INTERNAL})


class Releases:
    """The signals of releases, bound once."""

    def __init__(self, obs: Observability) -> None:
        self._classifier = obs.classifier
        self._creates = obs.metrics[delivery.RELEASE_CREATES]

    @contextmanager
    def creating(self) -> Iterator[None]:
        """Around one request to make a release, its answer included; what the caller can mend is no failure of ours."""
        try:
            yield
        except Exception as error:
            is_ours = self._classifier.error_class(error) in _OURS
            self._creates.labels(result="failure" if is_ours else "rejected").inc()
            raise
        self._creates.labels(result="success").inc()
