"""Structured logs: one JSON object a line on stderr, with fields from a list and nothing else.

A field that is not in `FIELDS` is dropped and named in `dropped_fields`: what nobody has judged
to be harmless is not written. Everything that is written passes `redaction`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from services.runtime.redaction import redacted, redacted_text

FIELDS = frozenset(
    {
        # Set by the logger itself.
        "event", "level", "logger", "timestamp", "exception", "dropped_fields",
        # Which process, and what it runs.
        "service", "owner", "pid", "version", "port", "stack",
        # Where in the streams.
        "topic", "partition", "offset", "next_offset", "stream", "streams", "epoch", "seq",
        "group", "feed", "schema_id",
        # How many and how long.
        "records", "events", "transfers", "rejected", "count", "batches", "lines", "bytes",
        "seconds", "milliseconds", "lag", "tries", "wait_seconds", "age_seconds", "rate",
        # What came of it.
        "outcome", "reason", "error", "error_id", "hint", "what", "where", "setting", "applied",
        # Business keys that name no person.
        "partner", "contract", "contract_version", "program", "batch", "layout", "file", "sha256",
        "through", "revision",
    }
)  # fmt: skip
_Event = MutableMapping[str, Any]


def configure_logs(level: str, *, service: str, to: TextIO | None = None) -> None:
    """Sends every log of the process, the libraries' included, as JSON lines to stderr.

    `level` is debug, info, warning or error. Call it once, before the first line.
    """
    number = getattr(logging, level.upper())
    finish: list[Any] = [
        _allowed,
        structlog.processors.format_exc_info,
        _redacted,
        structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False),
    ]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=service)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    # A line that cannot be written, as on a full disk, is lost: no traceback on stderr for each.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # Below warning these print keys and values of records.
    for library in ("aiokafka", "asyncpg", "asyncio"):
        logging.getLogger(library).setLevel(max(number, logging.WARNING))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("batch committed", records=812)`."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger(name))


def _allowed(_: object, __: str, event: _Event) -> _Event:
    unknown = [name for name in event if name not in FIELDS and name not in _STRUCTLOG]
    for name in unknown:
        del event[name]
    if unknown:
        event["dropped_fields"] = sorted(unknown)
    return event


def _redacted(_: object, __: str, event: _Event) -> _Event:
    return {redacted_text(name): redacted(value) for name, value in event.items()}


_STRUCTLOG = frozenset({"exc_info", "stack_info", "positional_args"})
