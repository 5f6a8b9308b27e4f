"""Structured logs: one JSON object a line on standard error, never with the arguments of a call."""

from __future__ import annotations

import logging
import sys

import structlog

from deltacloud.settings import LogLevel


def configure(level: LogLevel, *, service: str, as_json: bool = True) -> None:
    """Set up the process's logs.

    Libraries' own lines (pika, kombu, botocore, …) are kept at warning and above: at debug they would print what
    they send. pika is silent: it warns of every queue that is not there, which the transport asks about on purpose, and
    the transport tells of lost connections itself.
    """
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    logging.getLogger("pika").setLevel(logging.CRITICAL)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """Return a logger; bind request id, driver and operation to it, nothing else of a call."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger
