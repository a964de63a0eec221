"""The lines of the log: nobody forges one, and none says what it must not."""

import json
import logging
import sys
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError
from django.test import RequestFactory
from django.urls import resolve
from hypothesis import given
from hypothesis import strategies as st

from accounts import requests
from marketplace.celery import app
from marketplace.host.lines import Json, Plain

FORMS = [Json(), Plain()]
forms = pytest.mark.parametrize("form", FORMS, ids=["json", "plain"])


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("a.logger", logging.WARNING, "", 1, message, args, None)
    vars(made).update(extra)
    return made


def raised(error: Exception) -> logging.LogRecord:
    """The record of an error that was caught."""
    made = record("It failed")
    try:
        raise error
    except type(error):
        made.exc_info = sys.exc_info()
    return made


def test_a_line_of_production_is_one_object_with_utc_and_the_request():
    with requests.during(requests.Request(id="req-12345678", client="abc", prefix="key1")):
        line = Json().format(record("Said %s", "so", event="x", facts={"by": 3}))
    found = json.loads(line)
    assert datetime.fromisoformat(found.pop("time")).utcoffset() == timedelta(0)
    assert found == {
        "level": "WARNING",
        "logger": "a.logger",
        "message": "Said so",
        "request": "req-12345678",
        "client": "abc",
        "key": "key1",
        "by": 3,
    }


@forms
@given(said=st.text(st.characters(exclude_categories=["Cs"])))
def test_nobody_writes_a_second_line(form, said):
    line = form.format(record("Said %s", said, facts={"code": said}))
    assert len(line.splitlines()) == 1
    assert all(one.isprintable() for one in line)


def test_what_an_error_says_can_not_pass_for_a_line():
    lines = Plain().format(raised(ValueError("no\n2026-01-01T00:00:00.000+00:00 INFO forged")))
    assert len(lines.splitlines()) > 2
    assert all(one.startswith("  ") for one in lines.splitlines()[1:])


@forms
def test_an_error_of_the_database_does_not_bring_a_row_along(form):
    said = 'duplicate key "x"\nDETAIL:  Key (lower(name))=(Amina of Kasese) already exists.'
    line = form.format(raised(IntegrityError(said)))
    assert ("Amina" in line, "IntegrityError" in line, "duplicate key" in line) == (
        False,
        True,
        True,
    )


@forms
def test_no_line_holds_a_mail_address(form):
    line = form.format(raised(ValueError("amina@radio.example (to <juma+x@example.org>) failed")))
    assert ("amina" in line, "juma" in line, "@radio" in line) == (False, False, False)


@forms
def test_a_page_that_fails_is_named_by_its_place_and_not_by_its_token(form):
    request = RequestFactory().get("/join/a-token-that-opens")
    request.resolver_match = resolve(request.path)
    failed = record("%s: %s", "Internal Server Error", request.path, request=request)
    line = form.format(failed)
    assert ("a-token" in line, "join/<str:token>" in line) == (False, True)
    request.resolver_match = None
    assert "a-token" not in form.format(failed)


def test_what_is_said_in_a_task_bears_the_tasks_id():
    seen = []

    @app.task(name="tests.say")
    def say() -> None:
        seen.append(json.loads(Json().format(record("Working")))["request"])

    say.apply(task_id="0a1b2c3d-task")
    assert seen == ["0a1b2c3d-task"]
    received = record("Task received", data={"id": "0a1b2c3d-task"})
    assert json.loads(Json().format(received))["request"] == "0a1b2c3d-task"
