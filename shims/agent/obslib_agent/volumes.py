"""Volumes of the node: attached to instances, and how many are now (EXT-07)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from obslib import Observability
from obslib.catalog.platform import volumes as s

__all__ = ["Volumes"]


class Volumes:
    """Attachments of a host that has volumes. ``attached`` counts those there are now; it is read at each scrape."""

    def __init__(self, obs: Observability, attached: Callable[[], int]) -> None:
        self._obs = obs
        self._attach = obs.operation(s.VOLUME_ATTACH).reraising
        obs.metrics[s.AGENT_VOLUME_ATTACHMENTS].callback(attached)

    @contextmanager
    def attaching(self, volume_id: str, attachment_id: str) -> Iterator[None]:
        """Until one volume is attached; inside ``phases.volume``, with the instance's ids bound.

        An exception fails the attachment, is logged, and goes on to fail the boot. Its ``reason`` tells why: one of the
        catalog's, what follows a colon being detail; any other is ``volume_attach_failed``.
        """
        ids = {"volume_id": volume_id, "attachment_id": attachment_id}
        with self._obs.bind(**ids), self._attach(volume_id=volume_id, attachment_id=attachment_id) as run:
            yield
        self._obs.log.event(s.VOLUME_ATTACHED, **ids, duration_seconds=round(run.seconds, 6))

    def detached(self, volume_id: str, attachment_id: str) -> None:
        """The instance has stopped, and the volume is free for another."""
        self._obs.log.event(s.VOLUME_DETACHED, volume_id=volume_id, attachment_id=attachment_id)
