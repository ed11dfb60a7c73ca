"""The demo: deploy an app, serve it through the edge, break something, and let the platform explain itself.

``story`` tells it, on a ``stage``; what can be broken is in ``faults``, one small file each.
"""

from miniplatform.demo.faults import FAULTS
from miniplatform.demo.story import down, run, up

__all__ = ["FAULTS", "down", "run", "up"]
