"""The guest inits that run for a node, as the machine shows them."""

from __future__ import annotations

from pathlib import Path

import psutil

__all__ = ["guest_inits"]


def guest_inits(home: Path) -> list[psutil.Process]:
    """Every one below ``home``; no zombies, and no child of one, which looks like it between fork and exec."""
    found = {
        process.pid: process
        for process in psutil.process_iter(["cmdline", "status", "ppid"])
        if "guest_init.py" in (line := " ".join(process.info["cmdline"] or ()))
        and str(home) in line
        and process.info["status"] != psutil.STATUS_ZOMBIE
    }
    return [process for process in found.values() if process.info["ppid"] not in found]
