"""The declarations of the shop that the other files use; the last ones are faulty."""

from typing import Annotated, Literal

from obslib.catalog import (
    Check,
    Field,
    Importance,
    Label,
    Plane,
    counter,
    gauge,
    histogram,
    instance_gauge,
    log_event,
    span_kind,
)
from obslib.catalog import counter as count

KIND = Label.closed("kind", at_most=3)
RESULT = Label.closed("result", "success", "failure")
REGION = Label.budgeted("region", 12, why="regions we sell in")
ORG = Label.budgeted("org_id", 500, why="customers", id_prefix="org")
INSTANCE = Label(name="instance_id", domain="budgeted", at_most=256, why="one node", is_per_instance=True)

Kind = Annotated[Literal["monthly", "final", "refund"], KIND]
ORDER_ID = Field(name="order_id", help="Order.")
OrderId = Annotated[str, ORDER_ID]


@counter("shop_orders_total", serves=("SHOP-1",))
def ORDERS(*, kind: Kind, result: Annotated[Literal["success", "failure"], RESULT]) -> None:
    """Orders taken."""


@counter("shop_visits_total", serves=("SHOP-2",))
def VISITS(*, region: Annotated[str, REGION]) -> None:
    """Visits by region."""


@gauge("shop_baskets", serves=("SHOP-3",))
def BASKETS(*, org_id: Annotated[str, ORG]) -> None:
    """Open baskets by customer."""


@histogram("shop_checkout_duration_seconds", serves=("SHOP-4",))
def CHECKOUT_SECONDS(*, result: Annotated[Literal["success", "failure"], RESULT]) -> None:
    """How long a checkout takes."""


@log_event("order.placed", serves=("SHOP-5",))
def ORDER_PLACED(*, order_id: OrderId) -> None:
    """Order placed."""


@span_kind("shop.checkout", serves=("SHOP-6",))
def CHECKOUT(*, order_id: OrderId) -> None:
    """One checkout."""


PAYMENTS_OK = Check(
    name="payments", help="The payment provider answers.", plane=Plane.COMMON, serves=("SHOP-7",),
    importance=Importance.REQUIRED,
)  # fmt: skip
STOCK_OK = Check(
    name="stock", help="The stock service answers.", plane=Plane.COMMON, serves=("SHOP-8",),
    importance=Importance.REQUIRED, deadline_s=0.5,
)  # fmt: skip

# from here on nothing is as it should be

HOST = Label.closed("hostname", "a", "b")  # <- forbidden-label
USER = Label.budgeted("user_id", 100, why="a hundred users at most")  # <- forbidden-label
TRACE = Label(name="trace_id", domain="budgeted", at_most=10, why="few")  # <- forbidden-label
URL = Label.budgeted("url", 50, why="our pages")  # <- forbidden-label
MAIL = Label.budgeted(name="email", at_most=50, why="staff")  # <- forbidden-label


@counter("shop_refunds", serves=("SHOP-9",))  # <- metric-name
def REFUNDS(*, kind: Kind) -> None:
    """Refunds."""


@gauge("shop_basket_age_ms", serves=("SHOP-10",))  # <- metric-name
def BASKET_AGE() -> None:
    """Age of the oldest basket."""


@gauge("shop_baskets_total", serves=("SHOP-11",))  # <- metric-name
def ALL_BASKETS() -> None:
    """Baskets."""


@histogram("shop_payload_kilobytes", serves=("SHOP-12",))  # <- metric-name
def PAYLOAD() -> None:
    """Size of a request."""


@histogram("shop_latency", serves=("SHOP-13",))  # <- metric-name
def LATENCY() -> None:
    """Latency."""


@count("shopVisits_total", serves=("SHOP-14",))  # <- metric-name
def CAMEL() -> None:
    """Visits."""


@gauge("shop_fill_percent", serves=("SHOP-15",))  # <- metric-name
def FILL() -> None:
    """How full the store is."""


@gauge("shop_worker_memory_bytes", serves=("SHOP-16",))
def WORKER_MEMORY(*, instance_id: Annotated[str, INSTANCE]) -> None:  # <- per-instance-label
    """Memory of each worker."""


@count("shop_worker_restarts_total", serves=("SHOP-17",))
def WORKER_RESTARTS(*, kind: Kind, instance_id: Annotated[str, INSTANCE]) -> None:  # <- per-instance-label
    """Restarts of each worker."""


@histogram("shop_worker_pause_seconds", serves=("SHOP-18",))
def WORKER_PAUSE(*, instance_id: Annotated[str, INSTANCE]) -> None:  # <- per-instance-label
    """Pauses of each worker."""


@instance_gauge("shop_worker_load_ratio", quota="max_workers", max_series=64, aggregate=BASKETS, serves=("SHOP-19",))
def WORKER_LOAD(*, instance_id: Annotated[str, INSTANCE]) -> None:
    """Load of each worker; this one is as it should be."""
