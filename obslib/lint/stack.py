"""Room to walk deep syntax trees in: a chain of a thousand operators is a tree a thousand levels deep."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["with_room"]

_LEVELS = 20_000
_STACK_BYTES = 256 * 1024 * 1024
"""Address space, not memory: only what is used is ever backed by any."""

T = TypeVar("T")


def with_room(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises; it may call far deeper than usual, and garbage is not looked for meanwhile.

    Syntax trees are millions of objects of which hardly any is garbage: looking for it doubles the time. On a machine that
    has not the address space for the stack it is run as it is.
    """
    told: list[T | BaseException] = []

    def run() -> None:
        try:
            sys.setrecursionlimit(_LEVELS)
            told.append(work())
        except BaseException as error:
            told.append(error)

    limit, stack, is_collecting = sys.getrecursionlimit(), threading.stack_size(), gc.isenabled()
    try:
        gc.disable()
        threading.stack_size(_STACK_BYTES)
        thread = threading.Thread(target=run, name="obslib-lint", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return work()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(stack)
        if is_collecting:
            gc.enable()
    if isinstance(told[0], BaseException):
        raise told[0]
    return told[0]
