"""No secret reaches a log line, a label or a span without being reported, however it is named and handed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from obslib.lint import RULES, Project, check, secrecy
from obslib.lint.rules import secret_field
from obslib.lint.rules.secret_field import SecretField

_SOURCES = (
    "password", "config.api_key", "self._client_secret", "request.headers['Authorization']", "os.environ['DB_PASSWORD']",
    "os.getenv('STRIPE_SECRET_KEY')", "environ.get('PGPASSWORD', '')", "request.cookies['session']", "key.reveal()",
    "setting.get_secret_value()", "f'Bearer {token}'", "'Bearer ' + access_token", "'%s' % jwt", "str(private_key)",
    "token.decode()", "(user, password)", "{'given': passwd}", "{'password': given}", "dsn if dsn else None",
    "given or dsn", "get_token()", "refresh_token[:4]", "json.dumps({'a': webhook_secret})", "dict(os.environ)",
    "request.headers", "settings.SECRET_KEY", "SIGNING_KEY",
)  # fmt: skip
_WAYS = (
    "obs.log.info('called', given={})", "log.bind(given={})", "logger.info('called by %s', {})", "logging.warning('%s', {})",
    "obs.metrics[FAMILY].labels(given={})", "span.set_attribute('given', {})", "span.set_attributes({{'given': {}}})",
    "obs.bind(given={}).__enter__()", "given = {{'given': {}}}\nspan.set_attributes(given)",
    "obs.log.info('called', **{{'given': {}}})", "partial(obs.log.info, 'called', given={})",
    "given = {}\nobs.log.info('called', given=given)", "fields = dict(given={})\nobs.log.info('called', **fields)",
    "[log.info('called', given={}) for each in every]", "later = lambda: log.info('called', given={})",
    "obs.log.failure(LOST, error, given={})", "span.add_event('retry', {{'given': {}}})",
    "structlog.contextvars.bind_contextvars(given={})",
)  # fmt: skip
_PATH = Path("/no/such/example.py")
_HEAD = (
    "import json, logging, os, structlog\nfrom functools import partial\nfrom os import environ\nimport obslib\n"
    "from opentelemetry import trace\nfrom settings import SIGNING_KEY\nobs = obslib.start('agent')\n"
    "log = structlog.get_logger()\nlogger = logging.getLogger()\nspan = trace.get_current_span()\n"
)


def _is_reported(text: str) -> bool:
    return bool(check(_PATH, _HEAD + text, Project(), [SecretField]).findings)


@pytest.mark.parametrize("way", _WAYS)
def test_a_secret_is_reported_from_every_source_by_every_way(way: str) -> None:
    """Under an innocent name, from a parameter, an attribute, a look-up or a revealed Secret."""
    missed = [source for source in _SOURCES if not _is_reported(way.format(source))]
    assert missed == []


_NAMES = (
    "password",
    "dbPassword",
    "API-KEY",
    "x_api_key",
    "clientSecret",
    "Authorization",
    "refresh_token",
    "PGPASSWORD",
    "dsn",
)


def test_a_secrets_name_is_reported_in_every_spelling() -> None:
    """As a keyword, in a dict that is taken apart, as the name of an attribute."""
    for name in _NAMES:
        assert _is_reported(f"log.info('called', **{{{name!r}: given}})")
        assert _is_reported(f"span.set_attribute({name!r}, given)")


_HARMLESS = (
    "len(tokens)", "bool(password)", "password is not None", "not token", "3", "True", "None", "obslib.Secret(given)",
    "hashlib.sha256(token).hexdigest()", "config.token_id", "self.key_count", "given", "is_valid(token)", "secret_name",
    "request.headers['content-type']", "os.environ['HOME']",
)  # fmt: skip


@pytest.mark.parametrize("value", _HARMLESS)
def test_what_is_said_about_a_secret_is_not_reported(value: str) -> None:
    """That there is one, how many, which one."""
    for way in _WAYS:
        assert not _is_reported(way.format(value)), way


def test_mutant_a_linter_that_knows_no_secret_names_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the redactor's list of names next to nothing is found, and the tests above say so."""
    for module in (secrecy, secret_field):
        monkeypatch.setattr(module, "is_secret_name", lambda name: False)
    missed = [source for source in _SOURCES if not _is_reported(_WAYS[0].format(source))]
    assert len(missed) > len(_SOURCES) // 2


def test_mutant_a_linter_that_looks_at_field_names_only_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token under another name is what the redactor cannot know; a rule that forgets it fails its own examples."""
    monkeypatch.setattr(secret_field, "secret_in", lambda *_: "")
    bad = [check(_PATH, source, Project(), [SecretField]).findings for source in RULES["OBS202"].bad]
    assert any(not findings for findings in bad)
