"""The app's routes are deleted: everything runs, and nothing leads to it."""

from __future__ import annotations

from miniplatform.demo.fault import Fault
from miniplatform.demo.stage import Stage

__all__ = ["NoRoute"]


class NoRoute(Fault):
    """A colleague's mistake: explained by who deleted the route, and what it was."""

    reasons = ("no_route",)

    def break_it(self, stage: Stage) -> None:
        """Delete every route of the env."""
        for route in stage.json("routes", "list")["items"]:
            stage.show("routes", "delete", str(route["route_id"]), "--yes")

    def repair(self, stage: Stage) -> None:
        """Deploy the manifest again, which makes the routes that are missing and leaves the rest alone."""
        stage.show("deploy", str(stage.manifest("web")))
