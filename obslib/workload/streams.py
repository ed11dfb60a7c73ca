"""Which streams are open, and whether one more may be (WLG-14)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from obslib.errors import ErrorClass, LimitExceeded
from obslib.workload.limits import Limits

__all__ = ["Rejection", "Streams"]

Rejection = Literal["org_limit", "token_limit"]
_RETRY_AFTER_S = 10


class Streams:
    """The open streams of one control plane. ``token`` is any text that tells two tokens apart, never the token itself."""

    def __init__(self, limits: Limits, *, on_rejected: Callable[[Rejection], None] = lambda reason: None) -> None:
        self._limits = limits
        self._on_rejected = on_rejected
        self._of_org: Counter[str] = Counter()
        self._of_token: Counter[tuple[str, str]] = Counter()

    @property
    def active(self) -> int:
        """How many are open."""
        return self._of_org.total()

    @contextmanager
    def open(self, org_id: str, token: str) -> Iterator[None]:
        """Hold one stream for the length of the block; raises LimitExceeded when the token or the org has its fill."""
        name = org_id, token
        per_token, per_org = self._limits.max_log_streams_per_token, self._limits.max_log_streams_per_org
        if self._of_token[name] >= per_token:
            raise self._refused("token_limit", per_token, "with this token")
        if self._of_org[org_id] >= per_org:
            raise self._refused("org_limit", per_org, "in this org")
        self._of_token[name] += 1
        self._of_org[org_id] += 1
        try:
            yield
        finally:
            self._of_token -= Counter({name: 1})
            self._of_org -= Counter({org_id: 1})

    def _refused(self, reason: Rejection, limit: int, where: str) -> LimitExceeded:
        self._on_rejected(reason)
        return LimitExceeded(
            f"{limit} log streams are open {where}, as many as limits.max_log_streams allows; close one first",
            limit="max_log_streams",
            error_class=ErrorClass.RATE_LIMITED,
            retry_after_s=_RETRY_AFTER_S,
        )
