"""Log lines of three libraries."""

import logging
import logging as stdlib
import os
from functools import partial

import structlog
from obslib import Observability
from structlog import get_logger

from .signals import ORDER_PLACED

log = structlog.get_logger()
logger = logging.getLogger(__name__)
other = get_logger("shop")


def messages(obs: Observability, name: str, count: int) -> None:
    log.info(f"order {name} placed")  # <- formatted-message
    log.warning("order %s placed" % name)  # <- formatted-message
    other.error("order {} failed".format(name), exc_info=True)  # <- formatted-message
    log.info("order " + name)  # <- formatted-message
    logger.info(f"order {name} placed")  # <- formatted-message
    logger.debug("order %s" % (name,))  # <- formatted-message
    stdlib.info(f"{count} orders")  # <- formatted-message
    logger.log(logging.INFO, f"{count} orders")  # <- formatted-message
    obs.log.info(f"order {name} placed")  # <- formatted-message
    obs.log.bind(order_id=name).warn("order %s" % name)  # <- formatted-message
    message = f"order {name}"
    obs.log.info(message)  # <- formatted-message
    say = obs.log.info
    say("order {name}".format(name=name))  # <- formatted-message
    shout = partial(obs.log.warn, f"{name}!")  # <- formatted-message
    shout()
    [log.info(f"order {each}") for each in name]  # <- formatted-message
    obs.log.info("order %s placed", name)  # <- formatted-message

    def nested() -> None:
        log.info(f"nested {name}")  # <- formatted-message

    nested()


def secrets(obs: Observability, request, config, password: str, api_key: str) -> None:
    log.info("signed in", password=password)  # <- secret-field
    log.info("signed in", authorization=request.headers["authorization"])  # <- secret-field
    obs.log.info("called", api_key=api_key)  # <- secret-field
    obs.log.info("called", key=config.api_key)  # <- secret-field
    obs.log.info("called", given=os.environ["DB_PASSWORD"])  # <- secret-field
    obs.log.bind(session_token=config.value).info("called")  # <- secret-field
    log.bind(client_secret=config.value)  # <- secret-field
    logger.info("password is %s", password)  # <- secret-field
    with obs.bind(access_token=config.value):  # <- secret-field
        pass
    fields = {"passwd": config.value}
    obs.log.info("called", **fields)  # <- secret-field
    obs.log.info("called", used=os.getenv("STRIPE_SECRET_KEY"))  # <- secret-field


def fields(obs: Observability, extra) -> None:
    obs.log.event(ORDER_PLACED, order_id="ord_1", colour="red")  # <- undeclared-field
    obs.log.event(ORDER_PLACED, oder_id="ord_1")  # <- undeclared-field
    obs.log.event(ORDER_PLACED)  # <- undeclared-field
    placed = partial(obs.log.event, ORDER_PLACED)
    placed(orderid="ord_1")  # <- undeclared-field
    obs.log.event(ORDER_PLACED, **{"order": "ord_1"})  # <- undeclared-field
    obs.log.failure(ORDER_PLACED, ValueError("x"), order_id="ord_1", attempt=3)  # <- undeclared-field


def errors(obs: Observability) -> None:
    obs.log.error("order failed")  # <- error-without-cause
    obs.log.bind(order_id="ord_1").error("order failed", attempt=3)  # <- error-without-cause
    log.error("order failed")  # <- error-without-cause
    other.critical("shop is on fire")  # <- error-without-cause
    fail = obs.log.error
    fail("order failed")  # <- error-without-cause
    if obs:
        obs.log.error("order failed", order_id="ord_1")  # <- error-without-cause


def prints(name: str) -> None:
    print(name)  # <- print
    print("order", name, flush=True)  # <- print
    say = print
    say(name)  # <- print
    [print(each) for each in name]  # <- print

    def inner() -> None:
        print("inner")  # <- print

    inner()
