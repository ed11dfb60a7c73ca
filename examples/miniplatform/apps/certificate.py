"""A certificate for a name, signed by its own fresh key, with the standard library alone.

The TLS app makes one each time it starts: no key lies in the repository for somebody to use in earnest, and neither
the ``openssl`` command nor another package has to be there. ECDSA on P-256 (FIPS 186-5), X.509 in DER (RFC 5280,
RFC 5480). The arithmetic takes no care of timing: good enough for an example, not for a key that matters.
"""

from __future__ import annotations

import hashlib
import secrets
import ssl
from base64 import encodebytes
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

__all__ = ["Certificate", "self_signed"]

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int] | None  # None is the point at infinity

_EC_PUBLIC_KEY, _P256 = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06082a8648ce3d030107")
_ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_COMMON_NAME, _ALTERNATIVE_NAME = bytes.fromhex("0603550403"), bytes.fromhex("0603551d11")
_INTEGER, _BITS, _OCTETS, _UTF8, _TIME, _SEQUENCE, _SET = 0x02, 0x03, 0x04, 0x0C, 0x17, 0x30, 0x31
_DNS_NAME, _VERSION, _CURVE, _PUBLIC, _EXTENSIONS = 0x82, 0xA0, 0xA0, 0xA1, 0xA3


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate in DER, and its key and itself in PEM."""

    der: bytes
    pem: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hex."""
        return hashlib.sha256(self.der).hexdigest()


def self_signed(hostname: str, *, valid: timedelta = timedelta(days=30)) -> Certificate:
    """A new key, and a certificate for ``hostname`` that lasts from yesterday until ``valid`` from now."""
    key = secrets.randbelow(_N - 1) + 1
    point = b"\x04" + b"".join(number.to_bytes(32) for number in _times(key))
    now = datetime.now(UTC)
    name = _der(_SEQUENCE, _der(_SET, _der(_SEQUENCE, _COMMON_NAME, _der(_UTF8, hostname.encode()))))
    names = _der(_SEQUENCE, _der(_DNS_NAME, hostname.encode()))
    content = _der(
        _SEQUENCE,
        _der(_VERSION, _integer(2)),
        _integer(secrets.randbits(120)),
        _ECDSA_WITH_SHA256,
        name,
        _der(_SEQUENCE, _time(now - timedelta(days=1)), _time(now + valid)),
        name,
        _der(_SEQUENCE, _der(_SEQUENCE, _EC_PUBLIC_KEY, _P256), _der(_BITS, b"\0", point)),
        _der(_EXTENSIONS, _der(_SEQUENCE, _der(_SEQUENCE, _ALTERNATIVE_NAME, _der(_OCTETS, names)))),
    )
    der = _der(_SEQUENCE, content, _ECDSA_WITH_SHA256, _der(_BITS, b"\0", _signature(key, content)))
    private = _der(
        _SEQUENCE, _integer(1), _der(_OCTETS, key.to_bytes(32)), _der(_CURVE, _P256), _der(_PUBLIC, _der(_BITS, b"\0", point))
    )
    return Certificate(der=der, pem=_pem("EC PRIVATE KEY", private) + ssl.DER_cert_to_PEM_cert(der))


def _signature(key: int, content: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(content).digest())
    once = secrets.randbelow(_N - 1) + 1
    r = _times(once)[0] % _N
    return _der(_SEQUENCE, _integer(r), _integer(pow(once, -1, _N) * (digest + r * key) % _N))


def _times(factor: int) -> tuple[int, int]:
    """``factor`` times the curve's generator."""
    total: _Point = None
    power: _Point = _G
    while factor:
        if factor & 1:
            total = _plus(total, power)
        power = _plus(power, power)
        factor >>= 1
    assert total is not None  # factors are between 1 and the order less one
    return total


def _plus(one: _Point, other: _Point) -> _Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P) if one == other else (y2 - y1) * pow(x2 - x1, -1, _P)
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = (
        bytes([size])
        if size < 128
        else bytes([0x80 | (size.bit_length() + 7) // 8]) + size.to_bytes((size.bit_length() + 7) // 8)
    )
    return bytes([tag]) + length + content


def _integer(number: int) -> bytes:
    return _der(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1))


def _time(moment: datetime) -> bytes:
    return _der(_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())


def _pem(kind: str, der: bytes) -> str:
    return f"-----BEGIN {kind}-----\n{encodebytes(der).decode()}-----END {kind}-----\n"
