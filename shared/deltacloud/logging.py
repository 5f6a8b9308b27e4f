"""Structured logs: one JSON object a line on standard error, never with the arguments of a call."""

from __future__ import annotations

import logging
import sys
from typing import Any

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
    """Return a logger; bind request id, driver and operation to it, nothing else of a call.

    In a program that set up no structlog, as one that only uses our client, it tells warnings and errors alone, on
    standard error: standard output is the program's own.
    """
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(None, wrapper_class=_bound)  # type: ignore[arg-type]
    return logger


_QUIET: Any = structlog.make_filtering_bound_logger(logging.WARNING)


def _bound(logger: Any, processors: Any, context: Any) -> structlog.typing.BindableLogger:
    is_set_up = structlog.is_configured()
    wrapper = structlog.get_config()["wrapper_class"] if is_set_up else _QUIET
    bound: structlog.typing.BindableLogger = wrapper(
        logger if is_set_up else structlog.WriteLogger(sys.stderr), processors, context
    )
    return bound
