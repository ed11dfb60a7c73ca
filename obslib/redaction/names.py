"""Which names hold secrets, in every spelling.

A name is cut into words (``apiKey``, ``API-KEY`` and ``x.api_key`` are the same words), so that stems are
compared with whole words: ``monkey`` holds no key, and ``token_count`` is about tokens without being one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

from obslib.redaction.invisible import visible

__all__ = ["is_plural_name", "is_prose_name", "is_secret_name"]

_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST = 128


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _pairs(starts: str, *ends: str) -> frozenset[tuple[str, str]]:
    return frozenset((start, end) for start in starts.split() for end in ends)


_STEMS = (
    "password", "passwords", "passwd", "passphrase", "passphrases", "passcode", "passcodes", "secret", "secrets",
    "token", "tokens", "apikey", "apikeys", "authorization", "cookie", "cookies", "credential", "credentials",
    "kubeconfig", "pgpass", "pincode", "privkey", "authkey",
)  # fmt: skip
_STRONG = _set(
    "pwd jwt jwts otp totp hotp psk nonce ciphertext dsn cvv cvc ssn mnemonic xsrf csrf kek dek htpasswd phpsessid jsessionid "
    "plaintext setcookie"
).union(_STEMS)
_STRONG_LAST = _set("pass pw pin auth bearer cred creds enroll enrollment")
_STRONG_ALONE = frozenset({"sig", "pem"})
_PAIRS = (
    _pairs(
        "api access secret private encryption decryption signing sign master data wrapped account storage shared auth ssh "
        "deploy license service session client tls ssl wireguard wg preshared hmac root consumer app application server "
        "crypt cipher symmetric unseal recovery host cert certificate jwt registry admin rsa ec pgp gpg vault webhook",
        "key",
        "keys",
    )
    | _pairs("recovery backup mfa otp totp verification authorization auth device security pin login sms", "code", "codes")
    | _pairs("connection conn", "string", "str", "url", "uri")
    | _pairs(
        "database db redis mongo mongodb postgres postgresql pg mysql mariadb amqp rabbitmq broker jdbc clickhouse sql nats "
        "sqlalchemy cache",
        "url",
        "uri",
    )
    | _pairs("auth authentication", "header", "headers", "string", "data", "value", "payload")
    | _pairs("seed recovery secret backup", "phrase", "words")
    | _pairs("amz goog access shared", "signature")
)
_JOINED = frozenset("".join(pair) for pair in _PAIRS)
_JOINED_ENDS = (
    *_STEMS, "pwd", "privatekey", "secretkey", "accesskey", "apikey", "encryptionkey", "signingkey", "masterkey",
    "sharedkey", "wrappedkey", "preshared", "connectionstring", "databaseurl", "dburl",
)  # fmt: skip
_ABOUT = _set(
    "id ids count counts name names version versions fingerprint fingerprints digest type types kind kinds length len size "
    "sizes bytes expiry expires expired expiration at ttl age status state present exists valid invalid required enabled "
    "disabled rotated rotation policy scope scopes usage limit limits used remaining url uri endpoint issuer path paths file "
    "files filename dir ref provider method mode index idx number error errors reason result duration seconds second minute "
    "hour ms time timestamp created updated algorithm alg bits format prefix source store manager bucket set changed missing "
    "mismatch strength attempts attempt retries failures total max min per in on check checks bundle bundles domain secure "
    "samesite consent class group owner role roles audience subject location hint field fields label labels param column "
    "budget rate cost delivery deliveries latency lag quota hits misses spec parser pool ok failed success supported "
    "generation epoch sha checksum position offset found"
)
_CLAIMS = frozenset({"is", "has", "needs"})
_COUNTING = _set("max min num number count total prompt completion input output cached avg used")
_PASSWORDS = _set("password passwords passwd passphrase passcode pwd pass pw")
_PLURAL = _set("tokens keys secrets credentials creds cookies codes passwords")
_PROSE = _set("token tokens secret secrets auth cookie cookies credential credentials authorization nonce")


def is_secret_name(name: str) -> bool:
    """Whether a field, key or variable of this name holds a secret; ``token_count`` and ``key_id`` do not."""
    return _is_secret(name[-_LONGEST:])


def is_plural_name(name: str) -> bool:
    """Whether the name may be a number of things: a count under ``tokens`` is no secret."""
    words = _words(name[-_LONGEST:])
    return bool(words) and words[-1] in _PLURAL


def is_prose_name(name: str) -> bool:
    """Whether the name is also an ordinary word before a colon, as in "invalid token: expired"."""
    words = _words(name[-_LONGEST:])
    return len(words) == 1 and words[0] in _PROSE


@lru_cache(maxsize=4_096)
def _is_secret(name: str) -> bool:
    words = _words(name)
    if not words:
        return False
    last = words[-1]
    if tuple(words[-2:]) in _PAIRS:
        return True
    if last in _ABOUT or (last == "hash" and not _PASSWORDS.intersection(words)) or words[0] in _CLAIMS:
        return False
    if words[0] in _COUNTING and last in _PLURAL:
        return False
    return _has_stem(words, last)


def _has_stem(words: list[str], last: str) -> bool:
    if last in _STRONG_LAST or not _STRONG.isdisjoint(words):
        return True
    if any(pair in _PAIRS for pair in pairwise(words)):
        return True
    joined = "".join(words)
    return joined in _STRONG_ALONE or joined in _JOINED or last.endswith(_JOINED_ENDS) or joined.endswith(_JOINED_ENDS)


def _words(name: str) -> list[str]:
    if not name.isascii():
        name = unicodedata.normalize("NFKC", visible(name))
    return [word.lower() for word in _CAMEL.findall(name)]
