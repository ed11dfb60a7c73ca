"""Loops and operations: where logs, metrics, traces and health meet.

A component iterates a declared loop or runs a declared operation, and every signal the catalog promises
for it is written (requirements STN-03 to STN-06).
"""

from obslib.loops.bound_loop import BoundLoop, LoopWedged
from obslib.loops.cursor import CursorPosition
from obslib.loops.instruments import WorkFailed
from obslib.loops.iteration import Iteration
from obslib.loops.loops import Loops
from obslib.loops.operation import BoundOperation, Run

__all__ = ["BoundLoop", "BoundOperation", "CursorPosition", "Iteration", "LoopWedged", "Loops", "Run", "WorkFailed"]
