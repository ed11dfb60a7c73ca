"""Our own ledger: nothing in it is wrong, and it is written so that two people can edit two rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from obslib.ledger import FILE, Kind, read
from obslib.ledger.row import EVIDENCE

ROOT = Path(__file__).parents[2]
OBSLIB = str(Path(sys.executable).parent / "obslib")


def test_nothing_in_the_ledger_is_wrong() -> None:
    """Every row names only what exists and is tested, or says what is missing (SPEC-05)."""
    done = subprocess.run([OBSLIB, "requirements", "--wrong"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_explains_every_kind_of_row() -> None:
    """Each kind has its line in the table of what it must show, and each line a kind."""
    table = (ROOT / "specs" / "requirements.md").read_text().partition("## What a row must show")[2].partition("\n## ")[0]
    explained = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]
    assert explained == ["kind", *(kind.value for kind in Kind)]
    assert list(EVIDENCE) == list(Kind)


def test_rows_stand_in_the_order_of_the_sections() -> None:
    """A row has one place, so that a new version differs from the old one in what has changed."""
    ledger = read(ROOT / "specs" / FILE)
    assert tuple(row.id for row in ledger.rows) == ledger.expected


def test_the_file_is_written_as_json_dumps_writes_it() -> None:
    """One reference a line: people who edit different rows do not meet."""
    text = (ROOT / "specs" / FILE).read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
