"""Spans, probes, and what is made again and again."""

import asyncio
import os
import socket
import subprocess
import time
import urllib.request
from functools import partial

import httpx
import obslib
import psycopg
import requests
from fastapi import FastAPI, Request
from obslib import Observability
from obslib.catalog.platform import data_plane as s
from opentelemetry import trace
from opentelemetry.trace import get_tracer
from prometheus_client import Counter
from starlette.routing import Route

from .signals import CHECKOUT, CHECKOUT_SECONDS, ORDERS, PAYMENTS_OK, STOCK_OK

app = FastAPI()
tracer = trace.get_tracer("shop")


def spans(obs: Observability, order, name: str) -> None:
    with tracer.start_as_current_span(f"checkout {order}"):  # <- runtime-span-name
        pass
    with tracer.start_as_current_span(name):  # <- runtime-span-name
        pass
    tracer.start_span("checkout " + name)  # <- runtime-span-name
    tracer.start_span(name=order.title)  # <- runtime-span-name
    begin = partial(tracer.start_as_current_span, f"{name}")  # <- runtime-span-name
    begin()
    trace.get_current_span().update_name("GET %s" % name)  # <- runtime-span-name
    with get_tracer("x").start_as_current_span("checkout") as span:
        span.update_name(name)  # <- runtime-span-name
        span.set_attribute("password", order.secret)  # <- secret-field
    with obs.span(CHECKOUT)(order_id="ord_1", colour="red"):  # <- undeclared-attribute
        pass
    with obs.span(CHECKOUT)(order_id="ord_1") as active:
        active.set(color="red")  # <- undeclared-attribute
    checkout = obs.span(CHECKOUT)
    with checkout(oder_id="ord_1"):  # <- undeclared-attribute
        pass
    boot = obs.operation(s.INSTANCE_BOOT)
    with boot() as run:
        run.set(flavour="large")  # <- undeclared-attribute
    with boot(colour="red"):  # <- undeclared-attribute
        pass


@app.get("/livez")
async def livez():
    psycopg.connect("dbname=shop").execute("select 1")  # <- blocking-liveness
    return {}


@app.get("/healthz")
def healthz():
    requests.get("http://payments/ping")  # <- blocking-liveness
    return {}


@app.get("/live")
async def live():
    async with httpx.AsyncClient() as client:  # <- blocking-liveness
        await client.get("http://stock/ping")  # <- blocking-liveness
    return {}


@app.get("/alive")
def alive():
    time.sleep(0.1)  # <- blocking-liveness
    return {}


def liveness(request):
    return _ping()


def _ping():
    return subprocess.run(["ping", "db"]).returncode  # <- blocking-liveness


routes = [Route("/livez", liveness)]


def is_alive() -> bool:
    with socket.create_connection(("db", 5432)):  # <- blocking-liveness
        return True


@app.get("/-/live")
def also_live():
    urllib.request.urlopen("http://stock/ping")  # <- blocking-liveness
    return {}


@app.get("/readyz")
def readyz():
    requests.get("http://stock/ping")  # <- unbounded-readiness
    return {}


@app.get("/ready")
def ready():
    return urllib.request.urlopen("http://stock/ping").status  # <- unbounded-readiness


@app.get("/health/ready")
def health_ready():
    subprocess.run(["pg_isready"])  # <- unbounded-readiness
    requests.get("http://stock/ping", timeout=0.2)
    return {}


def checks(obs: Observability) -> None:
    @obs.check(PAYMENTS_OK)  # <- check-without-deadline
    def payments() -> obslib.Verdict:
        return obslib.Verdict.ok()

    @obs.check(PAYMENTS_OK, every=5)  # <- check-without-deadline
    def again() -> obslib.Verdict:
        return obslib.Verdict.ok()

    @obs.check(STOCK_OK, every=5)
    def stock() -> obslib.Verdict:
        return obslib.Verdict.ok()

    obs.check(PAYMENTS_OK, every=1)(stock)  # <- check-without-deadline
    obs.check(PAYMENTS_OK, deadline=None)(stock)  # <- check-without-deadline
    obs.check(PAYMENTS_OK, deadline=float("inf"))(stock)  # <- check-without-deadline
    register = partial(obs.check, PAYMENTS_OK)
    register()(stock)  # <- check-without-deadline


def again(obs: Observability, orders) -> None:
    for order in orders:
        obs.metrics[ORDERS].labels(kind="final", result="success").inc()  # <- created-in-loop
        obs.operation(s.INSTANCE_BOOT)  # <- created-in-loop
    while orders:
        Counter("shop_rounds_total", "Rounds.").inc()  # <- direct-metric, created-in-loop
        trace.get_tracer("shop")  # <- created-in-loop
    [obs.span(CHECKOUT)(order_id=order) for order in orders]  # <- created-in-loop
    while True:
        with obslib.start("agent") as inner:  # <- created-in-loop
            inner.begin()


@app.post("/orders")
async def order(request: Request):
    obs = request.app.state.obs
    Counter("shop_posts_total", "Posts.").inc()  # <- direct-metric, created-in-request
    get_tracer("orders")  # <- created-in-request
    return {}


class Orders:
    def __init__(self, obs: Observability) -> None:
        self.obs = obs

    async def get(self, request: Request) -> None:
        self.obs.metrics[CHECKOUT_SECONDS].labels(result="success").observe(1)  # <- created-in-request
        with self.obs.span(CHECKOUT)(order_id="ord_1"):  # <- created-in-request
            pass
        run = self.obs.operation(s.INSTANCE_BOOT)  # <- created-in-request
        with run():
            pass
        obslib.start("agent")  # <- created-in-request
