"""What a client's ``Accept`` headers ask for, reduced to the two choices there are.

The endpoint renders OpenMetrics or text, compressed or not; a header is only ever turned into one of these, so
that nothing a client writes becomes a key, a content type or another rendering.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

__all__ = ["accepted_format", "accepts_gzip"]

_OPENMETRICS = "application/openmetrics-text"
_TEXT = "text/plain"
_VERSIONS = ("", "1.0.0")


def accepted_format(accept: str) -> str:
    """The media type to render for an ``Accept`` header: OpenMetrics 1.0.0 where it weighs no less than text, else text."""
    openmetrics = text = 0.0
    for name, parameters, weight in _weighted(accept):
        if name == _OPENMETRICS and parameters.get("version", "") in _VERSIONS:
            openmetrics = max(openmetrics, weight)
        elif name in (_TEXT, "text/*", "*/*"):
            text = max(text, weight)
    return _OPENMETRICS if openmetrics > 0 and openmetrics >= text else _TEXT


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an ``Accept-Encoding`` header allows gzip (RFC 9110 §12.5.3); a weight of 0 refuses it."""
    weights = {name: weight for name, _, weight in _weighted(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighted(header: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        given = {key.strip(): value.strip(' "') for key, _, value in (piece.partition("=") for piece in parameters)}
        try:
            weight = float(given.get("q", 1))
        except ValueError:
            weight = 0.0
        yield name, given, weight
