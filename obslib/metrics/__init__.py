"""Counters, gauges and histograms: typed handles over plain cells, with label values that cannot run away.

Everything that leaves the process goes through prometheus-client; everything on the way there is ours, because a
checked ``labels()`` has to cost less than an unchecked one elsewhere.
"""

from obslib.metrics.cells import BoundCounter, BoundGauge, BoundHistogram
from obslib.metrics.families import CounterFamily, GaugeFamily, HistogramFamily
from obslib.metrics.offenders import Offender
from obslib.metrics.registry import Registry

__all__ = [
    "BoundCounter", "BoundGauge", "BoundHistogram", "CounterFamily", "GaugeFamily", "HistogramFamily", "Offender", "Registry",
]  # fmt: skip
