"""Plain Python that has nothing to do with obslib: nobody may be told off for it."""

import collections
import logging
import sys
import time

logger = logging.getLogger("plain")
Counter = collections.Counter


class Gauge:
    def __init__(self, name: str) -> None:
        self.name = name

    def labels(self, **labels: str) -> "Gauge":
        return self


def counts(words: list[str], obs: object = None) -> int:
    counted = Counter(words)
    for word in words:
        Gauge(word).labels(word=word, url=f"http://{word}")
    print(counted.most_common(3))
    sys.stdout.write("done\n")
    logger.info("counted %d words in %s", len(words), time.time())
    return sum(counted.values())


def livez() -> bool:
    return True


def span(name: str) -> str:
    return f"<span>{name}</span>"


def error(message: str) -> None:
    raise ValueError(message)
