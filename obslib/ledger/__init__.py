"""The requirement ledger: each requirement as a row of data, held against what there really is.

A row names what satisfies it, or says in a sentence what is missing. The ledger believes neither: a row that
names something that does not exist, or that nothing tests, is *wrong* (SPEC-05). A room of its own in the
workshop, because it reads the catalog, the specs and the tests, and nothing that runs needs it.
"""

from obslib.ledger.inventory import Command, Inventory, spellings
from obslib.ledger.judging import Finding, Judgement, Standing, judge
from obslib.ledger.reading import FILE, PAGE, read, sections_in
from obslib.ledger.row import REFERENCES, Kind, Ledger, Row

__all__ = [
    "FILE", "PAGE", "REFERENCES", "Command", "Finding", "Inventory", "Judgement", "Kind", "Ledger", "Row", "Standing", "judge",
    "read", "sections_in", "spellings",
]  # fmt: skip
