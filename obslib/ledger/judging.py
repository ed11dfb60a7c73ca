"""The judgement: which rows are satisfied, which are open, and which are wrong and why.

What a row names has to exist, a signal has to say in ``serves=`` that it answers the row, the evidence that the
row's kind demands has to be complete, and one of the row's own tests has to speak of each thing the row names: a row
cannot be satisfied by pointing at something that does not do it. The other way round every signal has to serve a row
that exists, and a satisfied row has to list it: nothing is declared that no test speaks of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from obslib.ledger.inventory import Inventory, MissingError, without_labels
from obslib.ledger.row import EVIDENCE, SIGNALS, Ledger, Row
from obslib.ledger.suite import NOTHING, NoEvidenceError, Suite, Words

__all__ = ["Finding", "Judgement", "Standing", "judge"]


class Standing(StrEnum):
    """How a row stands."""

    WRONG = "wrong"
    OPEN = "open"
    SATISFIED = "satisfied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong: ``about`` is a row's id or a signal, ``sentence`` says what is the matter."""

    about: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The ledger, judged: a standing for each row, and what is wrong with rows and signals."""

    rows: tuple[tuple[Row, Standing], ...]
    findings: tuple[Finding, ...]

    def count(self, standing: Standing) -> int:
        """How many rows stand so; for wrong, rows that should be there and signals that serve none count as well."""
        if standing is Standing.WRONG:
            return len({finding.about for finding in self.findings})
        return sum(found is standing for _, found in self.rows)


def judge(ledger: Ledger, inventory: Inventory, *, sections: Mapping[str, int]) -> Judgement:
    """Hold every row against what there is, and the ledger against the ``sections`` that it has to have, by prefix."""
    suite = Suite(inventory.root)
    findings = [Finding(about=row.id, sentence=said) for row in ledger.rows for said in _of_row(row, inventory, suite)]
    findings += _of_ids(ledger)
    findings += _of_sections(ledger, sections)
    wrong = {finding.about for finding in findings}
    findings += _of_signals(ledger, inventory)
    return Judgement(
        rows=tuple((row, _standing(row, is_wrong=row.id in wrong)) for row in ledger.rows), findings=tuple(findings)
    )


def _standing(row: Row, *, is_wrong: bool) -> Standing:
    if is_wrong:
        return Standing.WRONG
    return Standing.OPEN if row.open else Standing.SATISFIED


def _of_ids(ledger: Ledger) -> Iterator[Finding]:
    counted = Counter(row.id for row in ledger.rows)
    for name, times in counted.items():
        if times > 1:
            yield Finding(about=name, sentence=f"is there {times} times; keep one row")
        if name not in ledger.expected:
            yield Finding(about=name, sentence="belongs to no section; correct the id, or raise the section's number of rows")
    for name in ledger.expected:
        if name not in counted:
            yield Finding(about=name, sentence="has no row; a requirement does not go away by deleting it")


def _of_sections(ledger: Ledger, sections: Mapping[str, int]) -> Iterator[Finding]:
    for prefix in dict.fromkeys((*sections, *ledger.sections)):
        wanted, there = sections.get(prefix, 0), ledger.sections.get(prefix, 0)
        if wanted != there:
            said = f"section has {there} rows and should have {wanted} by the page; they do not go away by deleting them"
            if there > wanted:
                said = f"section has {there} rows and {wanted} by the page; write its number into the table there"
            yield Finding(about=prefix, sentence=said)


def _of_signals(ledger: Ledger, inventory: Inventory) -> Iterator[Finding]:
    known = {row.id for row in ledger.rows}
    for signal in inventory.catalog.signals:
        for name in signal.serves:
            if name not in known:
                yield Finding(about=repr(signal), sentence=f"serves {name!r}, which is no row; correct its serves=")


def _of_row(row: Row, inventory: Inventory, suite: Suite) -> Iterator[str]:
    words = NOTHING
    for test in row.of("tests"):
        try:
            words |= suite.words(test)
        except NoEvidenceError as error:
            yield str(error)
    for kind in row.references:
        for name in row.of(kind) if kind != "tests" else ():
            try:
                yield from _of_reference(row, kind, name, inventory, words)
            except MissingError as error:
                yield str(error)
    if not row.open:
        yield from _lacking(row)
        for kind, signal in inventory.serving(row.id):
            if signal.name not in map(without_labels, row.of(kind)):
                yield f"{signal!r} serves it and is not on the row; name it under {kind}, and cite a test that speaks of it"


def _of_reference(row: Row, kind: str, name: str, inventory: Inventory, words: Words) -> Iterator[str]:
    if kind == "docs":
        inventory.require_document(name)
        return
    if kind == "commands":
        command, flags = inventory.command(name)
        is_spoken_of = words.say(command.words[1:]) and all(words.say([flag]) for flag in flags)
    else:
        is_spoken_of = words.name_one_of(inventory.spellings(kind, name))
        name = without_labels(name)
    if kind in SIGNALS and row.id not in inventory.signal(kind, name).serves:
        yield f"{inventory.signal(kind, name)!r} does not serve it; add the row to its serves=, or take it off the row"
    if not is_spoken_of and not row.open and kind != "runbooks":
        yield f"none of its tests speaks of {name!r} ({kind}); cite one that does"


def _lacking(row: Row) -> Iterator[str]:
    for group in EVIDENCE[row.kind]:
        if not row.of(*group):
            lacking = "nothing that keeps it" if len(group) > 2 else f"no {' or '.join(group)}"
            yield f"is of kind {row.kind} and names {lacking}; say what it is, or under open what is missing"
