"""What an audit record says is free of secrets, printable and bounded, in every field, whatever a caller sends."""

from __future__ import annotations

import dataclasses
import os
import random

from obslib.access import Actor, ActorType, AuditRecord, RequestInfo, Resource, Scope
from obslib.access import decision as decision_module
from obslib.access.scribe import Scribe
from obslib.ids import ulid
from obslib.testing import RecordedObservability

KEY = "AKIAIOSFODNN7EXAMPLE"
FROM_US = {"timestamp", "event_id", "phase", "opened_by", "org_id", "scopes", "scope", "decision", "result", "lines"}
"""Fields that are ours, or name the chain, which a trail refuses when it is no name."""


def scribe(obs: RecordedObservability, kind: type[Scribe] = Scribe) -> Scribe:
    """One that writes with fixed ids."""
    return kind(obs.clock, obs.ids, obs.redactor, obs.classifier, policy_version="1")


def about(writer: Scribe, said: str) -> AuditRecord:
    """The record of a refusal in which everything a caller sends is ``said``."""
    actor = Actor(actor_type=ActorType.USER, actor_id=said, org_id=said, scopes=frozenset())
    resource = Resource(type=said, id=said, path=said)
    request = RequestInfo(request_id=said, source_ip=said, user_agent=said, trace_id=said)
    decision = decision_module.decide(actor, Scope.LOGS_READ, said + "?", resource)
    return writer.about(decision, said, request, {said: said, "text": said}, said, said)


def texts(record: AuditRecord) -> dict[str, str]:
    """Every text in it that a caller had a hand in."""
    found = {name: value for name, value in record.as_dict().items() if name not in FROM_US}
    selectors = found.pop("selectors")
    return {**found, "selector names": max(selectors, key=len), "selectors": max(selectors.values(), key=len)}


def fields_that_leak(obs: RecordedObservability, kind: type[Scribe], rounds: int) -> set[str]:
    """The fields in which part of a key is found that stood anywhere around where texts are cut."""
    chance, writer, leaking = random.Random(7), scribe(obs, kind), set()
    for _ in range(rounds):
        cut = chance.choice([512, 2_048])
        said = "word " * cut
        at = chance.randrange(cut - len(KEY) - 2, cut + 2)
        said = f"{said[:at]} {KEY} {said[: chance.choice([0, 4_000])]}"
        leaking |= {name for name, text in texts(about(writer, said)).items() if KEY[:8] in text}
    return leaking


class _CutsFirst(Scribe):
    """A broken build: what is longer than 512 characters is cut before anybody looks for secrets in it."""

    def _clean(self, said: object) -> str:
        return super()._clean(str(said)[:512])


def test_no_field_keeps_a_secret_that_stands_across_the_cut(obs: RecordedObservability) -> None:
    """Wherever a key stands, no part of it is kept: not the first 19 characters of it either, in no field."""
    assert fields_that_leak(obs, Scribe, 60) == set()
    record = about(scribe(obs), "-" * 492 + " " + KEY)
    assert KEY[:8] not in record.user_agent


def test_mutant_that_cuts_before_it_looks_is_caught(obs: RecordedObservability) -> None:
    """A build that cuts first keeps most of a key, and the search above finds it."""
    assert {"user_agent", "subject_org_id", "action", "resource_type"} <= fields_that_leak(obs, _CutsFirst, 60)


def test_every_text_is_printable_and_bounded(obs: RecordedObservability) -> None:
    """A megabyte or a terminal escape reaches no field, and the whole record stays far below what a trail can keep."""
    for said in ("x" * 1_100_000, "\x1b[2J\0\x07\u202e \ud800" * 300, "\N{SNOWMAN}" * 5_000, "password=" + "a" * 3_000):
        record = about(scribe(obs), said)
        for name, text in texts(record).items():
            assert len(text) <= 512, name
            assert text.isprintable(), name
        assert len(dataclasses.replace(record, org_id="x").canonical()) < 65_536
    assert "\x1b" not in texts(about(scribe(obs), "\x1b[2J"))["subject_org_id"]


def test_an_id_stays_what_it_is(obs: RecordedObservability) -> None:
    """No id of ours is taken for a secret, so that a record can be found by it."""
    writer = scribe(obs)
    for prefix in ("org", "app", "env", "rt", "inst", "usr", "req", "node"):
        for _ in range(25):
            said = f"{prefix}_{ulid(int.from_bytes(os.urandom(6), 'big'), int.from_bytes(os.urandom(10), 'big'))}"
            record = about(writer, said)
            assert {record.resource_id, record.actor_org_id, record.actor_id, record.request_id} == {said}


def test_none_is_empty(obs: RecordedObservability) -> None:
    """What a caller does not know may be None."""
    actor = Actor(actor_type=ActorType.USER, actor_id="usr_1", org_id=None, scopes=frozenset())
    request = RequestInfo(request_id=None, user_agent=None)  # type: ignore[arg-type]  # the point of the test
    decision = decision_module.decide(actor, Scope.LOGS_READ, None, Resource(type="env"))
    record = scribe(obs).about(decision, "logs.query", request, {"text": None}, None, None)  # type: ignore[dict-item]  # too
    assert (record.since, record.until, record.request_id, record.user_agent, record.selectors) == (
        "",
        "",
        "",
        "",
        {"text": ""},
    )
