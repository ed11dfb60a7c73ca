"""Metrics of other libraries, beside the catalog."""

import prometheus_client
import prometheus_client as prom
from functools import partial
from opentelemetry import metrics
from opentelemetry.metrics import get_meter
from prometheus_client import Counter, Gauge as G, Histogram, Info, Summary

ORDERS = Counter("shop_orders_total", "Orders.", ["kind"])  # <- direct-metric
BASKETS = G("shop_baskets", "Baskets.")  # <- direct-metric
SECONDS = Histogram("shop_checkout_duration_seconds", "Checkout.")  # <- direct-metric
PAYLOAD = Summary("shop_payload_bytes", "Payload.")  # <- direct-metric
BUILD = Info("shop_build", "Build.")  # <- direct-metric
VISITS = prometheus_client.Counter("shop_visits_total", "Visits.")  # <- direct-metric
LEAVES = prom.Counter("shop_leaves_total", "Leaves.")  # <- direct-metric

make = partial(Counter, documentation="Made.")
MADE = make("shop_made_total")  # <- direct-metric

meter = metrics.get_meter("shop")
sold = meter.create_counter("shop.sold")  # <- direct-metric
shelf = get_meter("shop").create_up_down_counter("shop.shelf")  # <- direct-metric
took = meter.create_histogram("shop.took", unit="s")  # <- direct-metric
size = meter.create_observable_gauge("shop.size")  # <- direct-metric


class Till:
    def __init__(self) -> None:
        self.opened = Counter("till_opened_total", "Opened.", labelnames=("user_id",))  # <- direct-metric, forbidden-label

    def ring(self, request) -> None:
        ORDERS.labels(request.url.path).inc()  # <- label-from-request
        ORDERS.labels(kind=request.headers["kind"]).inc()  # <- label-from-request


def declared_badly() -> None:
    Counter("tillRings", "Rings.")  # <- direct-metric, metric-name
    G("till_drawer_kb", "Drawer.")  # <- direct-metric, metric-name
    Counter("till_host_errors_total", "Errors.", ["hostname"])  # <- direct-metric, forbidden-label
