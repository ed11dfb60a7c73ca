"""The HTTP endpoint of a component: ``/metrics``, ``/livez``, ``/readyz`` and ``/debug/obs``.

Importing it loads no web framework; Starlette is loaded when the application is built, uvicorn when it
is served.
"""

from obslib.admin.app import admin_app
from obslib.admin.server import AdminServer

__all__ = ["AdminServer", "admin_app"]
