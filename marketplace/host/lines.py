"""The lines of the log: JSON for machines, or one that a person reads; in UTC, with its request.

Nobody can forge a line, as what would end or hide one is escaped; and no line holds an address of
the site that may carry a token, nor anybody's mail address.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from accounts import requests

ADDRESS = re.compile(r"[^\s@<>()\"'=:,;]+@[^\s@<>()\"',;]+")
ROW = re.compile(r"(?m)^DETAIL:.*$")
"""What PostgreSQL adds to an error: the values of a row."""


def configuration(form: type[logging.Formatter], *, level: str) -> dict[str, Any]:
    """Return Django's LOGGING: one line of this form for each event, on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"unforeseen": {"()": lambda: is_unforeseen}},
        "formatters": {"line": {"()": form}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"level": "ERROR", "filters": ["unforeseen"]},
            "django.security": {"level": "CRITICAL"},
            "django.server": {"handlers": [], "propagate": True},
            # Its own lines would be of another form.
            "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
            "pgmq": {"level": "WARNING"},
        },
    }


class Json(logging.Formatter):
    """One JSON object for each event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps({**facts_of(record), **trace_of(record)}, default=str)


class Plain(logging.Formatter):
    """One line for each event; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = facts_of(record)
        first = " ".join(str(facts.pop(name)) for name in ("time", "level", "logger", "message"))
        line = escaped(" ".join([first, *(f"{name}={fact}" for name, fact in facts.items())]))
        trace = trace_of(record).get("trace", "").splitlines()
        return "\n  ".join([line, *map(escaped, trace)])


def is_unforeseen(record: logging.LogRecord) -> bool:
    """Keep what Django says of a request that broke off; an answer of ours was told by whom it is.

    Of django.request, which notes each answer from 500 up.
    """
    return bool(record.exc_info)


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a line says: when, how grave, what, in which request, and its own facts."""
    now = requests.current()
    of_task = getattr(record, "data", None)  # celery's, of a task that it begins or ends
    task = of_task.get("id", "") if isinstance(of_task, dict) else ""
    known = {"request": now.id or task, "client": now.client, "key": now.prefix}
    return {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": masked(message_of(record)),
        **{name: fact for name, fact in known.items() if fact},
        **getattr(record, "facts", {}),
    }


def message_of(record: logging.LogRecord) -> str:
    """Return what is said; where Django names the address of a request, which view it is."""
    request = getattr(record, "request", None)
    if not isinstance(request, HttpRequest) or not isinstance(record.args, tuple):
        return record.getMessage()
    match = request.resolver_match
    name = match.route if match else "an address that is none"
    args = tuple(name if str(one).startswith("/") else one for one in record.args)
    return str(record.msg) % args


def trace_of(record: logging.LogRecord) -> dict[str, str]:
    """Return the traceback of a record that has one."""
    if not record.exc_info:
        return {}
    return {"trace": masked(logging.Formatter().formatException(record.exc_info))}


def masked(text: str) -> str:
    """Return a text without mail addresses and without what a row of the database holds."""
    return ADDRESS.sub("…@…", ROW.sub("DETAIL: left out", text))


def escaped(text: str) -> str:
    """Return a text as one line: what does not print is written as its escape."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
