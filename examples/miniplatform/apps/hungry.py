"""A workload that serves well and wants more memory than its author thought: it outgrows its cap soon after it is healthy."""

from __future__ import annotations

import os
import threading
import time
from http.server import ThreadingHTTPServer

from miniplatform.apps.web import Greeter, place

_MIB = 2**20


def main() -> None:
    """Serve, and after ``HUNGRY_AFTER_S`` seconds (default 3) keep ``HUNGRY_MIB_PER_S`` (default 20) more each second.

    It has enough with ``HUNGRY_MIB`` (default 150), under a cap that lets it get there.
    """
    with ThreadingHTTPServer(place(), Greeter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"serving on port {server.server_port}", flush=True)
        time.sleep(float(os.environ.get("HUNGRY_AFTER_S", "3")))
        pause_s = 1 / float(os.environ.get("HUNGRY_MIB_PER_S", "20"))
        kept: list[bytes] = []
        while len(kept) < float(os.environ.get("HUNGRY_MIB", "150")):
            kept.append(b"x" * _MIB)
            if len(kept) % 20 == 0:
                print(f"keeping {len(kept)} MiB", flush=True)
            time.sleep(pause_s)
        print(f"content with {len(kept)} MiB", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
