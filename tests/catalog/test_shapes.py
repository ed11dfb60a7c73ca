"""Which label values are refused by their shape."""

from __future__ import annotations

import pytest

from obslib.catalog.shapes import LONGEST, refused_shape


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("db-1.internal", "hostname"),
        ("Example.COM:8443", "hostname"),
        ("localhost", "hostname"),
        ("ip-10-0-3-17", "hostname"),
        ("https://example.com/x?y=1", "url"),
        ("postgres://u:p@h/db", "url"),
        ("jane@example.org", "email"),
        ("10.0.0.7", "ip"),
        ("10.0.0.7:5432", "ip"),
        ("from 192.168.1.1", "ip"),
        ("fe80::1%eth0", "ip"),
        ("[2001:db8::1]:443", "ip"),
        ("::1", "ip"),
        ("01J9ZQ3V8N6C4T5R2W7XKBMFHD", "ulid"),
        ("inst_01J9ZQ3V8N6C4T5R2W7XKBMFHD", "ulid"),
        ("/v1/envs/env_01j9zq3v8n6c4t5r2w7xkbmfhd", "ulid"),
        ("7d444840-9dc0-11d1-b245-5ffdce74fad2", "uuid"),
        ("0af7651916cd43dd8448eb211c80319c", "uuid"),
        ("x" * (LONGEST + 1), "too_long"),
    ],
)
def test_unbounded_shapes_are_refused(value: str, reason: str) -> None:
    """Hosts, addresses, people and ids are refused wherever they stand in the value, with the reason."""
    assert refused_shape(value) == reason


@pytest.mark.parametrize(
    "value",
    ["GET", "2xx", "/v1/orgs/{org_id}/apps", "unmatched", "web", "env-status-view", "no_capacity_memory", "10_plus", "443",
     "loop:scheduler", "a:b", "x" * LONGEST, "_other", "1.2", "v1.2.3"],
)  # fmt: skip
def test_ordinary_values_pass(value: str) -> None:
    """Route templates, process types, ports and codes are not mistaken for anything else."""
    assert refused_shape(value) is None
