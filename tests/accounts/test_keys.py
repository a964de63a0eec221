"""Keys for machines: for a year at most, whoever makes them and however."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import organizations
from accounts.models import ApiKey
from tests import factories

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=365)


@pytest.fixture
def station():
    return factories.organization()


def issue(station, **options) -> ApiKey:
    owner = factories.owner_of(station)
    return organizations.issue_key(
        organization=station, user=owner, name="box", scopes=["read"], **options
    )[0]


def test_no_key_is_made_without_an_end(station):
    key = issue(station)
    assert abs(key.expiry_date - timezone.now() - YEAR) < timedelta(minutes=1)


@given(seconds=st.integers(1, int(YEAR.total_seconds()) - 60))
def test_a_key_ends_when_it_was_asked_to(seconds):
    end = timezone.now() + timedelta(seconds=seconds)
    assert organizations.end_of_key(end + timedelta(seconds=30)) == end + timedelta(seconds=30)


@pytest.mark.parametrize("days", [366, 3650, 0, -1])
def test_no_key_works_longer_than_a_year_or_not_at_all(station, days):
    with pytest.raises(organizations.KeyTermRefused) as refused:
        issue(station, expires_at=timezone.now() + timedelta(days=days))
    assert (refused.value.code, refused.value.status) == ("key-term-refused", 422)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("end", [None, timedelta(days=367)])
def test_the_database_takes_no_key_without_an_end_within_a_year(station, end):
    key = issue(station)
    late = end and key.created + end
    with pytest.raises(IntegrityError, match="api_key_ends_within_a_year"), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(expiry_date=late)
    ApiKey.objects.filter(pk=key.pk).update(expiry_date=key.created + YEAR)


def test_keys_of_earlier_versions_end_a_year_after_they_were_made(station):
    endless, late, good = (issue(station) for _ in range(3))
    soon = timezone.now() + timedelta(days=30)
    constraint = next(
        one for one in ApiKey._meta.constraints if one.name == "api_key_ends_within_a_year"
    )
    with connection.schema_editor() as editor:
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        editor.remove_constraint(ApiKey, constraint)
    ApiKey.objects.filter(pk=endless.pk).update(expiry_date=None)
    ApiKey.objects.filter(pk=late.pk).update(expiry_date=timezone.now() + 3 * YEAR)
    ApiKey.objects.filter(pk=good.pk).update(expiry_date=soon)
    import_module("accounts.migrations.0004_key_terms").set_end(apps, None)
    for key in (endless, late):
        key.refresh_from_db()
        assert key.expiry_date == key.created + YEAR
    good.refresh_from_db()
    assert good.expiry_date == soon
