"""A workload that fails: it says so and exits with 1 after a moment."""

from __future__ import annotations

import os
import sys
import time


def main() -> int:
    """Print one line, wait ``CRASH_AFTER_S`` seconds (default 0.2), fail."""
    print("about to fail", flush=True)
    time.sleep(float(os.environ.get("CRASH_AFTER_S", "0.2")))
    return 1


if __name__ == "__main__":
    sys.exit(main())
