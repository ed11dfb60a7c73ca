"""OBS610: a component exposes what belongs to another."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.exposition import Exposition
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["ForeignFamily"]


class ForeignFamily(ScrapeRule):
    """A component exposes a metric that is declared for another component or another plane, or is itself unknown.

    Why: planes fail differently, and an alert about the data plane that hears the control plane's figures stays quiet when
    it matters (SIG-05).

    Fix: emit it from the component it is declared for, or declare it for this one too.
    """

    code = "OBS610"
    name = "foreign-family"
    good = (
        '# TYPE db_up gauge\ndb_up{component="projector"} 1\n',
        '# TYPE health_ready gauge\nhealth_ready{component="scheduler"} 1\n',
    )
    bad = (
        '# TYPE db_up gauge\ndb_up{component="edge"} 1\n',
        '# TYPE health_ready gauge\nhealth_ready{component="billing"} 1\n',
        'process_open_fds{component="shop"} 3\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each metric and each unknown component once."""
        told = set[tuple[str, str]]()
        for sample, _, family in names.declared_among(exposition.samples):
            component = sample.labels.get("component")
            if not component:
                continue
            if component not in names.catalog.components:
                key, has = ("", component), ", ".join(names.catalog.components)
                said = (
                    f"component {component!r} is not in catalog {names.catalog.name!r}, which has {has or 'none'}; add it there"
                )
            elif not names.catalog.exports(family, component):
                key, owner = (family.name, component), ", ".join(family.components) or f"plane {family.plane.value}"
                said = f"{family.name!r} is declared for {owner}, not for {component!r}; emit it there, or declare it for both"
            else:
                continue
            if key not in told:
                told.add(key)
                yield Fault(exposition.place_of_value(sample.line, "component"), said)
