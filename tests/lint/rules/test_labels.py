"""What the rules about labels say, as whole sentences, and what they mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from obslib.lint import Finding, Project, check

_HEAD = """\
from typing import Annotated
from starlette.requests import Request
from obslib import Observability
from obslib.catalog import Label, counter, gauge
from obslib.catalog.platform import data_plane as s, edge, resources as r
from obslib.metrics import GaugeFamily
import uuid
def f(obs: Observability, request: Request, given: str, want: Want) -> None:
"""

_SENTENCES = {
    "obs.metrics['boots'].inc()": "'boots' is text, not a declaration; declare the metric and bind the declaration",
    "obs.metrics[want.family].inc()": (
        "'want.family' cannot be followed to a declaration; give obs.metrics[…] a declared name, "
        "or annotate where it comes from"
    ),
    "obs.metrics[r.AGENT_INSTANCE_OOM_KILLS].labels(**want.labels).inc()": (
        "'want.labels' cannot be taken apart into labels; spell them, labels(process_type=…), or use a literal"
    ),
    "obs.metrics[s.AGENT_INSTANCES].labels(colour='red').set(1)": (
        "metric 'agent_instances' has no label 'colour'; its labels are 'state'"
    ),
    "obs.metrics[edge.EDGE_CONNECTIONS].labels(result='proxied').inc()": (
        "metric 'edge_connections_total' needs label 'listener_port'; without it the sample is '_other'"
    ),
    "obs.metrics[s.AGENT_INSTANCES].labels(state='redy').set(1)": "label 'state' has no value 'redy'; did you mean 'ready'?",
    "obs.metrics[s.AGENT_INSTANCES].labels(state='gone').set(1)": (
        "label 'state' has no value 'gone'; it has 'booting', 'draining', 'failed', 'preparing', 'ready', 'stopped'"
    ),
    "obs.metrics[s.AGENT_INSTANCES].labels(state='ready', url='x').set(1)": (
        "label 'url' has values without a bound; use a bounded one, and log the value (CARD-01, CARD-07)"
    ),
    "port = request.headers['port']\n    obs.metrics[edge.EDGE_CONNECTIONS_ACTIVE].labels(listener_port=port).set(1)": (
        "label 'listener_port' gets 'port' (\"request.headers['port']\" of line 9), which comes from the request; a client can "
        "make a series of every value, so count one of a closed set and log the value (CARD-07)"
    ),
    "x = {'process_type': uuid.uuid4().hex}\n    obs.metrics[r.AGENT_INSTANCE_OOM_KILLS].labels(**x).inc()": (
        "label 'process_type' gets 'uuid.uuid4().hex', which is an id; log it, or show the figure in 'platform describe' "
        "(CARD-07)"
    ),
    "obs.metrics[edge.EDGE_ROUTE_BACKENDS].labels(route_id=want.instance_id).set(1)": (
        "label 'route_id' gets 'want.instance_id', which is another id than 'route_id'; log it, or show the figure in "
        "'platform describe' (CARD-07)"
    ),
    "obs.metrics[r.AGENT_INSTANCE_OOM_KILLS].labels(process_type=f'{given}!').inc()": (
        "label 'process_type' gets \"f'{given}!'\", which is put together from parts that have no bound; take one of a "
        "closed set, and log the text"
    ),
    "obs.metrics[s.AGENT_INSTANCES].labels(state=given).set(1)": (
        "label 'state' gets 'given', which can be any text; annotate it with the label's type, "
        "or fold it into the label's values"
    ),
    "obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE].replace({given: 1.0})": None,
    "def g(any_of: GaugeFamily[...]) -> None:\n        any_of.labels(env_id=want.env_id, instance_id=want.instance_id)": None,
    "def g(any_of: GaugeFamily[...]) -> None:\n        any_of.labels(who=want.user_id)": (
        "label 'who' gets 'want.user_id', which is an id; log it, or show the figure in 'platform describe' (CARD-07)"
    ),
    "obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE].replace({('a', 'b', 'c'): 1.0})": (
        "a key of 3 values does not fit metric 'agent_instance_memory_usage_bytes', whose labels are 'env_id', 'process_type'"
    ),
}


@pytest.mark.parametrize(("body", "message"), _SENTENCES.items())
def test_a_finding_says_what_was_found_and_gives_the_way_out(body: str, message: str | None) -> None:
    """One sentence names the label, shows the value and says what to do instead."""
    assert [finding.message for finding in _findings(f"{_HEAD}    {body}\n")] == ([] if message is None else [message])


_MENDED = {
    "labels(stat='ready')": "labels(state='ready')",
    "labels('ready')": "labels(state='ready')",
    "labels(state='redy')": "labels(state='ready')",
    'labels(\n        state="Ready",\n    )': 'labels(\n        state="ready",\n    )',
}


@pytest.mark.parametrize(("given", "mended"), _MENDED.items())
def test_a_label_that_can_only_mean_one_is_mended(given: str, mended: str) -> None:
    """The only label that is missing, spelt nearly so; the only value that is near."""
    line = f"{_HEAD}    obs.metrics[s.AGENT_INSTANCES]."
    assert _mended(f"{line}{given}.set(1)\n") == f"{line}{mended}.set(1)\n"


_LEFT = (
    "obs.metrics[s.AGENT_INSTANCES].labels(colour='ready')", "obs.metrics[s.AGENT_INSTANCES].labels(state='gone')",
    "obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE].labels('env_1', 'web')",
    "obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE].labels(env='env_1', process='web')",
    "redy = 'redy'\n    obs.metrics[s.AGENT_INSTANCES].labels(state=redy)",
)  # fmt: skip


@pytest.mark.parametrize("body", _LEFT)
def test_what_could_mean_something_else_is_left_to_its_author(body: str) -> None:
    """Two labels that are missing, a value that is near to none, one that stands elsewhere: reported, not touched."""
    text = f"{_HEAD}    {body}\n"
    assert _findings(text)
    assert _mended(text) == text


def test_a_counter_without_its_suffix_gets_it() -> None:
    """A counter whose name lacks nothing else is given the suffix that all counters have."""
    text = "from obslib.catalog import counter\n@counter('mail_sent', serves=('M-1',))\ndef SENT() -> None: ...\n"
    assert _mended(text) == text.replace("'mail_sent'", '"mail_sent_total"')
    assert _mended(text.replace("mail_sent", "mail_ms")) == text.replace("mail_sent", "mail_ms")


def test_what_another_file_holds_is_shown_as_it_stands_there(tmp_path: Path) -> None:
    """A value that comes from elsewhere is pointed at where it is handed over."""
    (tmp_path / "shared.py").write_text("import uuid\nLABELS = {'process_type': uuid.uuid4().hex}\n")
    text = (
        f"import uuid\nfrom shared import LABELS\n{_HEAD}    obs.metrics[r.AGENT_INSTANCE_OOM_KILLS].labels(**LABELS).inc()\n"
    )
    (finding,) = _findings(text, tmp_path)
    assert finding.message.startswith("label 'process_type' gets 'uuid.uuid4().hex', which is an id")
    assert (finding.place.line, finding.place.column) == (11, text.splitlines()[10].index("LABELS") + 1)


def _findings(text: str, directory: Path = Path("/no/such")) -> tuple[Finding, ...]:
    found = check(directory / "component.py", text, Project([directory])).findings
    return tuple(each for each in found if each.code.startswith("OBS1"))


def _mended(text: str) -> str:
    lines = text.splitlines(keepends=True)
    for edit in [edit for finding in _findings(text) for edit in finding.edits]:
        place = edit.place
        assert place.line == place.end_line
        line = lines[place.line - 1]
        lines[place.line - 1] = line[: place.column - 1] + edit.text + line[place.end_column - 1 :]
    return "".join(lines)
