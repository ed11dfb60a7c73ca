"""Lines on the node until the control plane has them: bounded, fair between instances, and still there after SIGKILL.

A console's position, the numbers given out, the lines and the counts move in one transaction, so that a kill at any
moment neither loses, repeats nor renumbers a line. What has to be given up becomes a gap and is counted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from obslib.clock import Clock
from obslib.wire import LogAck, LogBatch, LogGap
from obslib.wire.workload_log import LossReason, Stream
from obslib.workload.node.account import Account, Held
from obslib.workload.node.bounds import Bounds
from obslib.workload.node.giving_up import give_up
from obslib.workload.node.look import Look, Place, Standing
from obslib.workload.node.outbox import choose, under_way
from obslib.workload.node.rate import Allowance
from obslib.workload.node.seal import check, line_seal, place_seal
from obslib.workload.node.spool_file import SpoolFile, SpoolUnavailable
from obslib.workload.node.totals import LogTotals

__all__ = ["NotAcknowledged", "Spool"]

_ALWAYS = 20  # a twentieth of the bound in each look is more than an instance within its rate can write in between


class NotAcknowledged(ValueError):
    """An answer that does not account for every entry sent; the entries are kept and sent again."""


class Spool:
    """The spool of one node, used from one thread; ``totals`` may be read from any.

    ``on_loss``, a plain attribute, is told (instance, reason, lines) after lines were given up for good. Every method
    raises SpoolUnavailable when the file cannot do it now, and has then changed nothing.
    """

    def __init__(self, path: Path, *, clock: Clock, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.totals = LogTotals()
        self.on_loss: Callable[[str, LossReason, int], None] = lambda *_: None
        self._clock = clock
        self._account = Account()
        self._file = SpoolFile(path, self._account.recall)
        with suppress(SpoolUnavailable), self._transaction():
            pass

    def close(self) -> None:
        """Let go of the file; what was kept stays."""
        self._file.close()

    # --- capture ------------------------------------------------------------------------------------

    def enroll(self, instance_id: str, boot_id: str, written: Mapping[Stream, int]) -> None:
        """Make a boot known before its console is first read; a boot that is known stays as it is.

        ``written`` are the bytes that it wrote when a spool that knew it was lost, empty for a boot that has only begun.
        They are skipped and become a gap, because what was sent of them is not known. Each line took a number and at least
        one byte, so numbers beyond the bytes were never given out.
        """
        seq = sum(written.values()) + 3 if any(written.values()) else 1
        with self._transaction() as db:
            earlier = db.execute(
                "SELECT tokens, read_at FROM boots WHERE instance_id = ? ORDER BY boot DESC LIMIT 1", (instance_id,)
            ).fetchone()
            added = db.execute(
                "INSERT OR IGNORE INTO boots (instance_id, boot_id, first_seq, next_seq, tokens, read_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (instance_id, boot_id, seq, seq, *(earlier or (None, self._clock.now()))),
            )
            if added.rowcount and seq > 1:
                boot = int(added.lastrowid or 0)
                for stream, position in written.items():
                    self._keep_place(db, boot, boot_id, stream, Place(position=position))
                self._account.held[boot] = Held(instance_id)
                gap = LogGap(reason="spool_lost", lines=1, bytes=sum(written.values()), is_exact=False)
                self._append_gap(db, boot, "stdout", gap)

    def standing(self, boot_id: str, stream: Stream) -> Standing | None:
        """Where a look at this console begins and how much it may find; ``None`` when the boot is not known.

        There is always room for some lines: in an outage the newest push out the oldest.
        """
        with self._transaction() as db:
            row = db.execute(
                "SELECT instance_id, tokens, read_at, position, is_skipping, checksum FROM boots"
                " LEFT JOIN consoles ON consoles.boot = boots.boot AND stream = ? WHERE boot_id = ? AND NOT is_forgotten",
                (stream, boot_id),
            ).fetchone()
            if row is None:
                return None
            instance_id, tokens, read_at, position, is_skipping, seal = row
            place = Place(position=position or 0, is_skipping=bool(is_skipping))
            if position is not None:
                check("a console's place", seal, place_seal(boot_id, stream, place))
        most = self.bounds.lines_per_instance
        return Standing(
            place=place,
            allowance=Allowance(self.bounds, tokens=tokens, at=read_at),
            room=max(most - self._account.rows(instance_id), most // _ALWAYS, 1),
        )

    def keep(self, boot_id: str, look: Look) -> None:
        """Move a console's position and keep what was found up to there, together; then make room for it."""
        with self._transaction() as db:
            boot, instance_id = db.execute("SELECT boot, instance_id FROM boots WHERE boot_id = ?", (boot_id,)).fetchone()
            self._account.held.setdefault(boot, Held(instance_id))
            if look.gone is not None:
                self._append_gap(db, boot, look.stream, look.gone)
            self._append_lines(db, boot, (instance_id, boot_id), look)
            if look.surplus is not None:
                self._append_gap(db, boot, look.stream, look.surplus)
            self._keep_place(db, boot, boot_id, look.stream, look.place)
            db.execute("UPDATE boots SET tokens = ?, read_at = ? WHERE boot = ?", (look.tokens, self._clock.now(), boot))
            self._account.count(db, f"lines_{look.stream}", look.line_count)
            self._account.count(db, "bytes", look.bytes)
            self._account.count(db, "truncated", sum(line.is_cut for line in look.lines))
            self._account.count(db, "dropped_bytes", look.gone.bytes if look.gone else 0)
            self._make_room(db, instance_id)
            self._account.drop_empty(boot)

    def finish(self, boot_id: str) -> None:
        """Nothing more will come from this boot: a gap at its end need not wait for a line after it."""
        with self._transaction() as db:
            db.execute("UPDATE boots SET is_over = 1 WHERE boot_id = ?", (boot_id,))

    def unfinished(self) -> dict[str, str]:
        """The boots that were not captured to their end, each with its instance."""
        with self._transaction() as db:
            return dict(db.execute("SELECT boot_id, instance_id FROM boots WHERE NOT is_over"))

    def retain(self, boot_ids: set[str]) -> None:
        """Forget every other boot, each once its lines have gone out; their consoles are not read again."""
        with self._transaction() as db:
            for boot, boot_id in db.execute("SELECT boot, boot_id FROM boots WHERE is_forgotten = 0").fetchall():
                if boot_id not in boot_ids:
                    db.execute("UPDATE boots SET is_forgotten = 1, is_over = 1 WHERE boot = ?", (boot,))
            self._clear_out(db)

    # --- forwarding ---------------------------------------------------------------------------------

    def batch(self) -> LogBatch | None:
        """What to send now, durably marked as under way; the same again until it is acknowledged. ``None`` for nothing."""
        with self._transaction() as db:
            entries = under_way(db)
            if not entries and self._account.held:
                choose(db, self._account.boots(), self._clock.now())
                entries = under_way(db)
        return LogBatch(entries=tuple(entries)) if entries else None

    def acknowledge(self, batch: LogBatch, ack: LogAck) -> None:
        """Let go of a batch that is durable at the other side. What it rejected is dropped, and told before the next line.

        Raises NotAcknowledged when the answer does not account for every entry.
        """
        kept = sum(entry.instance_id not in ack.rejected for entry in batch.entries)
        if ack.stored + ack.duplicates != kept:
            raise NotAcknowledged(
                f"{kept} entries were sent and not rejected; the answer knows of {ack.stored} stored and {ack.duplicates} again"
            )
        with self._transaction() as db:
            for boot_id in dict.fromkeys(entry.boot_id for entry in batch.entries):
                self._let_go(db, boot_id, ack.rejected)
            self._clear_out(db)

    def failed(self, batch: LogBatch) -> None:
        """Note that a batch was not acknowledged; it stays under way."""
        self._account.failed_lines += sum(entry.gap is None for entry in batch.entries)
        self._publish()

    def check(self) -> None:
        """Count the lines in the file and see whether every number given out is accounted for."""
        with self._transaction() as db:
            [(numbered,)] = db.execute("SELECT coalesce(sum(next_seq - first_seq), 0) FROM boots")
            [(waiting,)] = db.execute(
                "SELECT (SELECT count(*) FROM entries) - (SELECT count(*) FROM entries WHERE reason IS NOT NULL)"
            )  # by the two indices; the lines themselves may be hundreds of megabytes
        self.totals = replace(self.totals, unaccounted_lines=self._account.unaccounted(numbered, waiting))

    # --- within a transaction -----------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._account.losses.clear()
        try:
            with self._file.transaction() as db:
                yield db
        except SpoolUnavailable:  # nothing has changed but that
            self.totals = replace(self.totals, troubles=dict(self._file.troubles))
            raise
        self._publish()
        for instance_id, reason, lines in list(self._account.losses):
            self.on_loss(instance_id, reason, lines)

    @staticmethod
    def _keep_place(db: sqlite3.Connection, boot: int, boot_id: str, stream: Stream, place: Place) -> None:
        seal = place_seal(boot_id, stream, place)
        db.execute(
            "INSERT OR REPLACE INTO consoles VALUES (?, ?, ?, ?, ?)", (boot, stream, place.position, place.is_skipping, seal)
        )

    def _append_lines(self, db: sqlite3.Connection, boot: int, named: tuple[str, str], look: Look) -> None:
        if not look.lines:
            return
        seq = self._take_numbers(db, boot, len(look.lines))
        now = self._clock.now()
        db.executemany(
            "INSERT INTO entries (boot, seq, ts, stream, line, truncated, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (boot, n, now, look.stream, line.text, line.is_cut, line_seal(*named, n, now, look.stream, line.text))
                for n, line in enumerate(look.lines, seq)
            ],
        )
        self._account.add(boot, len(look.lines), len(look.lines), sum(len(line.text) for line in look.lines))

    def _append_gap(self, db: sqlite3.Connection, boot: int, stream: Stream, gap: LogGap) -> None:
        """Add a gap, or let the one before it grow: no two markers for one hole, unless the first has been sent."""
        seq = self._take_numbers(db, boot, gap.lines)
        last_seq, reason = db.execute(
            "SELECT max(seq), reason FROM entries JOIN boots USING (boot) WHERE boot = ? AND seq > sent_seq", (boot,)
        ).fetchone()
        if reason == gap.reason:
            db.execute(
                "UPDATE entries SET lines = lines + ?, bytes = bytes + ?, is_exact = is_exact AND ? WHERE boot = ? AND seq = ?",
                (gap.lines, gap.bytes, gap.is_exact, boot, last_seq),
            )
        else:
            db.execute(
                "INSERT INTO entries (boot, seq, ts, stream, reason, lines, bytes, is_exact) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (boot, seq, self._clock.now(), stream, gap.reason, gap.lines, gap.bytes, gap.is_exact),
            )
            self._account.add(boot, 1, 0, 0)
        self._account.lose(db, boot, gap.reason, gap.lines)

    @staticmethod
    def _take_numbers(db: sqlite3.Connection, boot: int, count: int) -> int:
        [(after,)] = db.execute("UPDATE boots SET next_seq = next_seq + ? WHERE boot = ? RETURNING next_seq", (count, boot))
        return int(after) - count

    def _make_room(self, db: sqlite3.Connection, instance_id: str) -> None:
        """Hold the bound of the instance, then that of the spool: there the instance with the most gives up its oldest."""
        rows = self._account.rows(instance_id) - self.bounds.lines_per_instance
        if rows > 0:
            self._account.give_up(db, give_up(db, instance_id, rows=rows, bytes_over=0))
        while (over := self._account.size() - self.bounds.spool_bytes) > 0:
            runs = give_up(db, self._account.biggest(), rows=0, bytes_over=over)
            if not runs:
                return  # only what is under way is left
            self._account.give_up(db, runs)

    def _let_go(self, db: sqlite3.Connection, boot_id: str, rejected: tuple[str, ...]) -> None:
        row = db.execute("SELECT boot, instance_id, sent_seq FROM boots WHERE boot_id = ?", (boot_id,)).fetchone()
        if row is None:
            return  # the file was lost while the batch was under way
        boot, instance_id, sent_seq = row
        first_seq, rows, lines, size = db.execute(
            "SELECT min(seq), count(*), coalesce(sum(reason IS NULL), 0), coalesce(sum(length(line)), 0)"
            " FROM entries WHERE boot = ? AND seq <= ?",
            (boot, sent_seq),
        ).fetchone()
        if not rows:
            return
        if instance_id in rejected:
            db.execute("UPDATE boots SET rejected_from = coalesce(rejected_from, ?) WHERE boot = ?", (first_seq, boot))
            self._account.lose(db, boot, "rejected", lines)
        else:
            db.execute("UPDATE boots SET rejected_from = NULL WHERE boot = ?", (boot,))
            self._account.count(db, "forwarded", lines)
        db.execute("DELETE FROM entries WHERE boot = ? AND seq <= ?", (boot, sent_seq))
        self._account.add(boot, -rows, -lines, -size)
        self._account.drop_empty(boot)

    def _clear_out(self, db: sqlite3.Connection) -> None:
        """Remove forgotten boots that have nothing left to send; the numbers they gave out stay counted."""
        for boot, numbered in db.execute("SELECT boot, next_seq - first_seq FROM boots WHERE is_forgotten").fetchall():
            if boot not in self._account.held:
                self._account.count(db, "numbered", numbered)
                db.execute("DELETE FROM boots WHERE boot = ?", (boot,))
                db.execute("DELETE FROM consoles WHERE boot = ?", (boot,))

    def _publish(self) -> None:
        unaccounted = self.totals.unaccounted_lines
        self.totals = replace(self._account.totals(), unaccounted_lines=unaccounted, troubles=dict(self._file.troubles))
