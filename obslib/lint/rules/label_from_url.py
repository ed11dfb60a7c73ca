"""OBS107: a label value that is a URL, or a part of one."""

from __future__ import annotations

from typing import ClassVar

from obslib.lint.bounds import LabelValueRule
from obslib.lint.value import Taint

__all__ = ["LabelFromUrl"]


class LabelFromUrl(LabelValueRule):
    """A label value is a URL or a part of one.

    Why: paths hold ids and queries hold anything, so every call is a series of its own. The registry refuses what looks like
    a URL or a host and counts it in ``metric_label_rejections_total``; what is left tells nobody anything (CARD-01).

    Fix: name the operation (``registry_pull``) or the route's template, and write the URL to a log line (CARD-07).
    """

    code = "OBS107"
    name = "label-from-url"
    taints = frozenset({Taint.URL})
    way_out = "name the operation or the route's template instead, and log the URL (CARD-07)"
    good: ClassVar[tuple[str, ...]] = (
        """
        from urllib.parse import urlsplit
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def fetched(obs: Observability, url: str) -> None:
            obs.log.info("fetched", host=urlsplit(url).hostname)
            obs.metrics[cp.EVENT_APPENDS].labels(result="success").inc()
        """,
        """
        import httpx
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def scheme(obs: Observability, url: httpx.URL) -> None:
            result = "success" if url.scheme == "https" else "failure"
            obs.metrics[cp.EVENT_APPENDS].labels(result=result).inc()
        """,
        """
        from urllib.parse import urlparse as parsed
        from obslib import Observability
        from obslib.catalog.platform import edge

        PORTS = ("80", "443")

        def count(obs: Observability, address: str) -> None:
            port = str(parsed(address).port)
            port = port if port in PORTS else "443"
            obs.metrics[edge.EDGE_CONNECTIONS].labels(listener_port=port, result="proxied").inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform.terms import Method, PathTemplate
        from obslib.catalog.platform.control_plane import HTTP_REQUEST_DURATION

        def count(obs: Observability, method: Method, template: PathTemplate) -> None:
            obs.metrics[HTTP_REQUEST_DURATION].labels(method=method, path_template=template).observe(0.1)
        """,
        """
        from urllib.parse import urlsplit

        class Links:
            def labels(self, **labels):
                return labels

        def of(address):
            return Links().labels(host=urlsplit(address).hostname)
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from urllib.parse import urlsplit
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def count(obs: Observability, url: str) -> None:
            where = urlsplit(url)
            obs.metrics[cp.HTTP_REQUEST_DURATION].labels(method="GET", path_template=where.path).observe(0.1)
        """,
        """
        import urllib.parse
        from obslib import Observability
        from obslib.catalog.platform import edge

        def count(obs: Observability, address: str) -> None:
            port = str(urllib.parse.urlparse(address).port)
            obs.metrics[edge.EDGE_CONNECTIONS].labels(listener_port=port, result="proxied").inc()
        """,
        """
        import httpx
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def count(obs: Observability, url: httpx.URL) -> None:
            timed = partial(obs.metrics[cp.HTTP_REQUEST_DURATION].labels, path_template=url.path)
            timed(method="GET").observe(0.1)
        """,
        """
        from urllib.parse import urljoin as join
        from prometheus_client import Counter

        CALLS = Counter("calls_total", "Calls.", ["target"])

        def call(base: str, path: str) -> None:
            CALLS.labels(join(base, path)).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp
        from urllib.parse import unquote

        class Pages:
            def __init__(self, obs: Observability) -> None:
                self._obs = obs

            def _name(self, page: str) -> str:
                return unquote(page).lower()

            def seen(self, page: str) -> None:
                labels = dict(method="GET", path_template=self._name(page))
                self._obs.metrics[cp.HTTP_REQUEST_DURATION].labels(**labels).observe(0.1)
        """,
    )
