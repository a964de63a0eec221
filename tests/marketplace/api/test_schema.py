"""The schema describes the API as it is, and its documentation runs under our own policy."""

import re

import pytest
from django.contrib.staticfiles import finders
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from marketplace.api import urls
from tests.marketplace.api.callers import client

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def schema():
    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        found = client().get("/api/v1/schema/?format=json").json()
        assert not GENERATOR_STATS, GENERATOR_STATS._error_cache | GENERATOR_STATS._warn_cache
    return found


def test_the_schema_is_valid_and_complete(schema):
    validate_schema(schema)
    assert schema["info"]["title"] == "Commonhold"
    described = set(schema["paths"])
    named = [str(pattern.pattern) for pattern in urls.native if pattern.name]
    known = {"/api/v1/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path) for path in named}
    assert described == known - {"/api/v1/schema/", "/api/v1/docs/"}


def test_the_schema_says_how_a_key_is_sent(schema):
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_every_operation_says_what_it_does(schema):
    operations = [
        operation
        for methods in schema["paths"].values()
        for name, operation in methods.items()
        if name in {"get", "post", "put", "patch", "delete"}
    ]
    assert all(operation["description"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_the_documentation_loads_nothing_from_elsewhere_and_runs_nothing_inline():
    answer = client().get("/api/v1/docs/")
    page = answer.content.decode()
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) == 4
    for source in sources:
        assert source.startswith("/static/")
        assert finders.find(source.removeprefix("/static/")), source
    assert not re.search(r"<style|<script>|style=|onload=", page)
