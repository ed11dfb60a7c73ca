"""A name that holds a secret is known in every spelling; a name about secrets is left alone."""

from __future__ import annotations

import itertools

import pytest

from obslib.redaction.names import is_secret_name

STEMS = (
    "password", "passwd", "pwd", "passphrase", "passcode", "db password", "user passwd", "secret", "client secret", "api key",
    "api token", "access key", "access token", "refresh token", "session token", "auth token", "id token", "bearer token",
    "token", "authorization", "proxy authorization", "cookie", "set cookie", "private key", "ssh key", "signing key",
    "encryption key", "master key", "data key", "wrapped key", "ciphertext", "nonce", "credentials", "enrollment token",
    "exec token", "jwt", "csrf token", "webhook secret", "database url", "redis url", "connection string", "secret key",
    "aws secret access key", "registry password", "recovery code", "otp code", "preshared key", "account key", "dsn",
    "service account key", "x api key", "x auth token", "x vault token", "mfa code", "seed phrase",
)  # fmt: skip
LOOK_ALIKES = (
    "token_count", "monkey", "key_id", "keyId", "secret_version", "secretVersion", "key_fingerprint", "idempotency_key",
    "Idempotency-Key", "max_tokens", "prompt_tokens", "token_type", "tokenizer", "password_length", "is_password_set",
    "primary_key", "partition_key", "sort_key", "cache_key", "public_key", "ssh_public_key", "metadata_key", "keyboard",
    "secretary", "author", "authority", "authorized", "compass", "passed", "passenger", "cookie_policy", "auth_method",
    "secrets_count", "secret_bundle_id", "credential_provider", "access_token_expires_at", "private_key_path", "turkey",
    "access_key_id", "session_id", "group_spec_hash", "token_hash", "env_id", "instance_id", "request_id", "event_type",
    "node_id", "key", "keys", "donkey", "hockey", "tokens_per_second", "spin", "shipping", "url", "path_template",
)  # fmt: skip


def _spellings(stem: str) -> list[str]:
    words = stem.split()
    camel = words[0] + "".join(word.title() for word in words[1:])
    return [
        "_".join(words), "-".join(words), ".".join(words), " ".join(words), camel, camel[0].upper() + camel[1:],
        "_".join(words).upper(), "-".join(words).upper(), "-".join(word.title() for word in words), "my_" + "_".join(words),
        "_".join(words) + "_2", "config." + camel, "X-" + "-".join(words), "_".join(words) + "_value", f"db[{camel}]",
    ]  # fmt: skip


def _missed(names: list[str]) -> list[str]:
    return [name for name in names if not is_secret_name(name)]


def test_every_spelling_of_every_stem_is_a_secret() -> None:
    """Snake, kebab, camel, Pascal, upper and dotted _spellings, with prefixes and suffixes, are all recognised."""
    assert _missed(list(itertools.chain.from_iterable(map(_spellings, STEMS)))) == []


@pytest.mark.parametrize(
    "name", ["apikey", "accesstoken", "clientsecret", "privatekey", "databaseurl", "PGPASSWORD", "PaSsWoRd"]
)
def test_words_run_together_are_recognised(name: str) -> None:
    """A stem without separators between its words is a secret too."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "pass\u200bword",
        "\ufeffapi\u00ad_key",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
        "password" * 500,
        "x" * 100_000 + "_password",
    ],
)
def test_unusual_names_are_judged_by_what_they_say(name: str) -> None:
    """Full-width letters, characters that nobody sees and endless names do not hide a stem."""
    assert is_secret_name(name)


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_look_alikes_stay(name: str) -> None:
    """A name that only speaks about a secret, or merely contains its letters, is no secret."""
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["", "_", "42", "…", "\ud800", "名前"])
def test_names_without_words_are_no_secrets(name: str) -> None:
    """A name without letters holds nothing."""
    assert not is_secret_name(name)
