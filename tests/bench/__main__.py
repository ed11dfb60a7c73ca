"""Print the table, and write it as JSON where ``--out`` says."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench import importing, linting, logs, metrics, traces
from bench.harness import Row, measure

ROWS: tuple[Row, ...] = (*logs.ROWS, *metrics.ROWS, *traces.ROWS, *linting.ROWS, *importing.ROWS)


def main() -> int:
    """Measure the chosen rows; 0 when each target holds, 1 when one does not, 2 for an unknown row."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rows", default="", help="rows to run, such as P1,P7 (default: all)")
    parser.add_argument("--out", type=Path, help="also write the result here as JSON")
    arguments = parser.parse_args()
    chosen = [name for name in arguments.rows.split(",") if name]
    unknown = set(chosen) - {row.id for row in ROWS}
    if unknown:
        print(
            f"bench: there is no row {', '.join(sorted(unknown))}; there are {', '.join(r.id for r in ROWS)}", file=sys.stderr
        )
        return 2
    print(f"{'row':5}{'ratio':>8}{'target':>8}  {'ours':>10}{'peer':>12}   what, against what", flush=True)
    results = []
    for row in ROWS:
        if chosen and row.id not in chosen:
            continue
        found = measure(row)
        mark = "ok" if found.is_ok else "OVER"
        print(
            f"{row.id:5}{found.ratio:8.3f}{row.target:8.2f}  {found.ours_ns:8.0f}ns{found.theirs_ns:10.0f}ns {mark:5}"
            f"{row.what}, against {row.peer}",
            flush=True,
        )
        results.append({"id": row.id, "ratio": round(found.ratio, 4), "target": row.target, "ok": found.is_ok})
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    return 0 if all(result["ok"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
