"""Wires obslib into the node agent: ``agent = instrument(obs, launcher=…, overlay=…)``."""

from obslib_agent.drivers import ConsoleTotals, Disk, DiskKind, InstanceState, Launcher, Overlay
from obslib_agent.instrument import Agent, instrument

__all__ = ["Agent", "ConsoleTotals", "Disk", "DiskKind", "InstanceState", "Launcher", "Overlay", "instrument"]
