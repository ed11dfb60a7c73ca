"""From what was asked for to findings: read it, take it apart, hold it against the catalog, rule by rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obslib.catalog import Catalog
from obslib.errors import UsageError
from obslib.lint.artifacts.carried import Carried
from obslib.lint.artifacts.dashboard import is_dashboard, read_dashboard
from obslib.lint.artifacts.document import Document, Malformed
from obslib.lint.artifacts.exposition import read_exposition
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.artifacts.reading import files, is_url, read_file, read_url, shown_as
from obslib.lint.artifacts.rule import ArtifactRule, QueryRule, ScrapeRule
from obslib.lint.artifacts.rule_file import RecordedRule, is_rule_file, read_rule_file
from obslib.lint.artifacts.rules import ARTIFACT_RULES
from obslib.lint.artifacts.rules.malformed import MalformedArtifact
from obslib.lint.artifacts.tree import Node, read_json, read_yaml
from obslib.lint.finding import Finding

__all__ = ["Checked", "check_artifacts", "check_texts"]

_RULE_FILES = (".yml", ".yaml", ".rules")
_DASHBOARDS = (".json",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found, by document and place, and the text of every document under the name its findings have."""

    findings: tuple[Finding, ...]
    texts: Mapping[str, str]


def check_artifacts(
    catalog: Catalog, *, metrics: Sequence[str] = (), rules: Sequence[str] = (), dashboards: Sequence[str] = ()
) -> Checked:
    """Check scrapes (a URL, a file, ``-``), rule files and dashboards (a file or a directory of them) against ``catalog``.

    Rules that the files record are known to all queries. Raises UsageError for what cannot be read.
    """
    malformed: list[Finding] = []
    scraped = [_read(each, read_url if is_url(each) else read_file, malformed) for each in metrics]
    ruled = list(_documents(rules, _RULE_FILES, is_rule_file, read_yaml, malformed))
    shown = list(_documents(dashboards, _DASHBOARDS, is_dashboard, read_json, malformed))
    found = check_texts(
        catalog, metrics=[document for document in scraped if document is not None], rules=ruled, dashboards=shown
    )
    return Checked(findings=(*malformed, *found.findings), texts=found.texts)


def check_texts(
    catalog: Catalog, *, metrics: Iterable[Document] = (), rules: Iterable[Document] = (), dashboards: Iterable[Document] = ()
) -> Checked:
    """Check texts that were read already."""
    taken = _Taken()
    expositions = [(document, taken.apart(document, read_exposition)) for document in metrics]
    rule_files = [(document, taken.apart(document, read_rule_file)) for document in rules]
    boards = [(document, taken.apart(document, read_dashboard)) for document in dashboards]
    names = Names(catalog, _recorded(rule for _, file in rule_files if file is not None for rule in file.recorded))
    findings = list(taken.malformed)
    for document, exposition in expositions:
        findings += _apply(ScrapeRule, document, [exposition] if exposition else [], names)
    for document, file in rule_files:
        findings += _apply(QueryRule, document, file.questions if file else (), names)
    for document, questions in boards:
        findings += _apply(QueryRule, document, questions or (), names)
    ordered = sorted(dict.fromkeys(findings), key=lambda finding: (finding.path, finding.place, finding.code, finding.message))
    return Checked(findings=tuple(ordered), texts=taken.texts)


class _Taken:
    """The sources as they are taken apart: their texts, and those that are not what they should be."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.malformed: list[Finding] = []

    def apart(self, document: Document, read: Callable[[Document], Any]) -> Any:
        """What ``read`` makes of a document; None when it is malformed."""
        self.texts[document.name] = document.text
        try:
            return read(document)
        except Malformed as malformed:
            self.malformed.append(_finding(document.name, MalformedArtifact, malformed.place, str(malformed)))
            return None


def _apply(kind: type[Any], document: Document, subjects: Iterable[Any], names: Names) -> Iterator[Finding]:
    rules = [rule() for rule in ARTIFACT_RULES.values() if issubclass(rule, kind)]
    for subject in subjects:
        for rule in rules:
            for fault in rule.check(subject, names):
                yield _finding(document.name, type(rule), fault.place, fault.message)


def _finding(path: str, rule: type[ArtifactRule[Any]], place: Any, message: str) -> Finding:
    return Finding(path=path, place=place, code=rule.code, message=message)


def _recorded(rules: Iterable[RecordedRule]) -> Mapping[str, Callable[[Names], Carried]]:
    """The labels of each recorded name, once somebody asks; of a name that is recorded twice, those of both."""
    questions: dict[str, list[Question]] = {}
    for rule in rules:
        questions.setdefault(rule.name, []).append(rule.question)

    def labels(asked: list[Question]) -> Callable[[Names], Carried]:
        def ask(names: Names) -> Carried:
            found = Carried.of(())
            for question in asked:
                found = found.either(question.carried(names).plus([*question.own_labels, "__name__"]))
            return found

        return ask

    return {name: labels(asked) for name, asked in questions.items()}


def _read(spelt: str, read: Callable[[str], Document], malformed: list[Finding]) -> Document | None:
    try:
        return read(spelt)
    except Malformed as error:
        malformed.append(_finding(shown_as(spelt), MalformedArtifact, error.place, str(error)))
        return None


def _documents(
    given: Sequence[str], suffixes: tuple[str, ...], is_meant: Callable[[Node], bool],
    parse: Callable[[Document], Node], malformed: list[Finding],
) -> Iterator[Document]:  # fmt: skip
    """The files that were named, and those of the directories that are of the kind; a directory without one is refused."""
    for spelt in given:
        if not Path(spelt).is_dir():
            document = _read(spelt, read_file, malformed)
            yield from [document] if document is not None else []
            continue
        found = [_read(str(path), read_file, malformed) for path in files(spelt, suffixes)]
        meant = [document for document in found if document is not None and _is_of_kind(document, is_meant, parse)]
        if not meant and None not in found:
            raise UsageError(f"nothing below {spelt!r} is of the kind asked for; name the file itself")
        yield from meant


def _is_of_kind(document: Document, is_meant: Callable[[Node], bool], parse: Callable[[Document], Node]) -> bool:
    """Whether a file of a directory is to be checked; one that cannot be taken apart is."""
    try:
        return is_meant(parse(document))
    except Malformed:
        return True
