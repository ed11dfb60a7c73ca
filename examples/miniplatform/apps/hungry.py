"""A workload that serves well and forgets nothing: it outgrows its memory cap a few seconds after it became healthy."""

from __future__ import annotations

import os
import threading
import time
from http.server import ThreadingHTTPServer

from miniplatform.apps.web import Greeter, place

_MIB = 2**20


def main() -> None:
    """Serve, and after ``HUNGRY_AFTER_S`` seconds (default 3) keep ``HUNGRY_MIB_PER_S`` (default 20) more each second."""
    with ThreadingHTTPServer(place(), Greeter) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"serving on port {server.server_port}", flush=True)
        time.sleep(float(os.environ.get("HUNGRY_AFTER_S", "3")))
        pause_s = 1 / float(os.environ.get("HUNGRY_MIB_PER_S", "20"))
        kept: list[bytes] = []
        while True:
            kept.append(b"x" * _MIB)
            if len(kept) % 20 == 0:
                print(f"keeping {len(kept)} MiB", flush=True)
            time.sleep(pause_s)


if __name__ == "__main__":
    main()
