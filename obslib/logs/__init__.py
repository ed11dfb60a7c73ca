"""Logs: one line of strict JSON per call, with structlog's API, for our code and everybody else's."""

from __future__ import annotations

from obslib.logs.logger import Logger, logger
from obslib.logs.pipeline import LEVELS, LogPipeline
from obslib.logs.stdlib import StdlibHandler

__all__ = ["LEVELS", "LogPipeline", "Logger", "StdlibHandler", "logger"]
