"""Secrets on their way into a guest: a span, a time and an outcome, and no place for what they are (EXT-02)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from obslib import Observability
from obslib.catalog.platform import secrets as s

__all__ = ["Secrets"]


class Secrets:
    """The deliveries of a host that makes some, bound once: without them, their families are absent."""

    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._deliver = obs.operation(s.SECRETS_DELIVERY).reraising

    @contextmanager
    def delivering(self, secret_version_id: str) -> Iterator[None]:
        """From fetching one version until the guest has written it; inside the boot, with the instance's ids bound.

        An exception fails the delivery, is logged, and goes on to fail the boot. Its ``reason`` tells why: one of the
        catalog's, what follows a colon being detail; any other is ``secrets_injection_failed``. Where secrets are required
        and there are none, ``secret_version_id`` is empty and the reason ``secrets_missing``.
        """
        ids = {"secret_version_id": secret_version_id} if secret_version_id else {}
        with self._obs.bind(**ids), self._deliver(**ids) as run:
            yield
        self._obs.log.event(s.SECRETS_DELIVERED, secret_version_id=secret_version_id, duration_seconds=round(run.seconds, 6))
