"""Metrics in dicts and through re-exports, routes, servers and the ends of blocks, and nothing wrong with any."""

import getpass
import os
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Header, Query
from obslib import Observability

from . import exports
from .exports import *
from .exports import SEND_SECONDS, SENT

log = structlog.get_logger()
router = APIRouter()
QUEUES = {"mail": "mail", "hooks": "webhook"}
CHECKSUM = "da39a3ee5e6b4b0d3255bfef95601890afd80709"


@dataclass(frozen=True)
class Bound:
    sent: Any
    oldest: Any
    name: str = "mail"


class Kept:
    def __init__(self, obs: Observability) -> None:
        self.bound = Bound(obs.metrics[SENT], oldest=obs.metrics[OLDEST])
        self.space = SimpleNamespace(sent=obs.metrics[SENT], name="mail")

    def count(self) -> None:
        self.bound.sent.labels(queue="mail").inc()
        self.bound.oldest.set(1.0)
        self.space.sent.labels(queue=self.space.name).inc()


class Counting:
    def __init__(self, obs: Observability) -> None:
        self.metrics = {"sent": obs.metrics[SENT], "took": obs.metrics[SEND_SECONDS], "oldest": obs.metrics[OLDEST]}
        self.through = obs.metrics[exports.WAITING]

    def count(self, mail) -> None:
        self.metrics["sent"].labels(queue=QUEUES["mail"]).inc()
        self.metrics["took"].labels(queue="webhook").observe(1.0)
        self.metrics["oldest"].set(1.0)
        self.through.labels(env_id=mail.env_id, org_id=getattr(mail, "org_id")).set(1)
        log.info("counted", host=os.uname().nodename, user=getpass.getuser(), uid=mail.uid)

    def grown(self, is_late: bool) -> None:
        queue = "web"
        queue += "hook"
        self.metrics["sent"].labels(queue=queue).inc()

    def filled(self, mail) -> None:
        labels = {}
        labels["queue"] = "mail" if mail else "webhook"
        self.metrics["sent"].labels(**labels).inc()
        fields = {"size": mail.size}
        fields["recipient"] = mail.recipient
        log.info("filled", **fields)

    def __exit__(self, exc_type, exc, traceback) -> None:
        self.metrics["sent"].labels(queue="mail" if exc is None else "export").inc()


def routes(obs: Observability):
    sent = obs.metrics[SENT].labels

    @router.get("/queues/{queue}/{mail}")
    def of_queue(queue: Literal["mail", "export"], mail: str, agent: Annotated[str, Header()] = "", big: bool = Query(False)):
        sent(queue=queue).inc()
        sent(queue=QUEUES.get(mail, "mail")).inc()
        log.info("asked", mail=mail, agent=agent)

    async def asgi(scope, receive, send) -> None:
        if scope["type"] in ("mail", "export"):
            sent(queue=scope["type"]).inc()
        log.info("asked", path=scope["path"])

    return of_queue, asgi


def shown(credentials, cookie, token_info) -> None:
    log.info("renewed", until=credentials["expiry_time"], domain=cookie["domain"], kind=token_info["type"])
    log.info("renewing", minutes=credentials.refresh_token_seconds / 60, checksum=CHECKSUM)
    log.info("connecting", to="postgres://shop@db.internal/shop", example="https://example.com/login?next=/")
