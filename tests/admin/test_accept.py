"""What a client asks for, reduced to the choices there are."""

from __future__ import annotations

import pytest

from obslib.admin.accept import accepted_format, accepts_gzip

OPENMETRICS = "application/openmetrics-text"


@pytest.mark.parametrize(
    ("header", "allowed"),
    [("gzip", True), ("deflate, gzip;q=0.5", True), ("gzip;q=0", False), ("", False), ("br", False), ("*", True),
     ("*;q=0", False), ("GZIP ; q=1", True), ("gzip;q=nonsense", False), ("identity, *;q=0, gzip;q=0.1", True)],
)  # fmt: skip
def test_accept_encoding_is_read_as_the_rfc_says(header, allowed):
    """A weight of 0 refuses, a star speaks for the rest (RFC 9110 §12.5.3)."""
    assert accepts_gzip(header) is allowed


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        (OPENMETRICS, OPENMETRICS),
        (f"{OPENMETRICS};q=0, text/plain", "text/plain"),
        (f"{OPENMETRICS};q=0", "text/plain"),
        (f"{OPENMETRICS};q=0.3, text/plain;q=0.5", "text/plain"),
        (f"{OPENMETRICS};version=99", "text/plain"),
        (f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1", OPENMETRICS),
        (f'{OPENMETRICS.upper()} ; version="1.0.0"', OPENMETRICS),
        (f"{OPENMETRICS};q=often", "text/plain"),
        (",;=;q,,", "text/plain"),
    ],
)
def test_the_format_is_the_one_that_weighs_more(header, media_type):
    """OpenMetrics 1.0.0 when it is asked for and weighs no less than text, text otherwise (RFC 9110 §12.5.1)."""
    assert accepted_format(header) == media_type
