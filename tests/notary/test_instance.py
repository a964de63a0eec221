"""What identifies an installation: the same at any address, and for everybody who asks at once."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from notary import instance
from notary.models import Instance


@pytest.mark.django_db
def test_an_identifier_is_the_same_at_any_address_and_other_for_other_things(settings):
    first = instance.urn("thing", 7)
    settings.SITE_URL = "https://elsewhere.example"
    assert instance.urn("thing", 7) == first == instance.urn("thing", "7")
    assert instance.urn("thing", 8) != first != instance.urn("thing", 7, 1)
    named = uuid.UUID(first)
    assert first == f"urn:uuid:{named}"
    assert named == uuid.uuid5(instance.instance_id(), "thing/7")


@pytest.mark.django_db
def test_the_logs_name_is_that_of_its_first_use(settings):
    settings.LOG_ORIGIN = "log.example.org"
    assert instance.log_origin() == "log.example.org"
    settings.LOG_ORIGIN = "log.example.com"
    with pytest.raises(instance.LogOriginChanged, match=r"Set LOG_ORIGIN=log\.example\.org"):
        instance.log_origin()
    settings.LOG_ORIGIN = "log.example.org"
    assert instance.log_origin() == "log.example.org"


@pytest.mark.django_db(transaction=True)
def test_all_who_ask_at_once_get_one_identifier():
    def ask(_: int) -> uuid.UUID:
        try:
            return instance.instance_id()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1
    assert Instance.objects.count() == 1


@pytest.mark.django_db
def test_there_is_one_instance_for_good():
    instance.instance_id()
    with pytest.raises(IntegrityError), transaction.atomic():
        Instance.objects.create(pk=uuid.uuid4(), log_origin="second.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        Instance.objects.update(log_origin="renamed.example")
    with pytest.raises(IntegrityError), transaction.atomic():
        Instance.objects.all().delete()
