"""The trusted root: numbered, expiring, renewed in time, and followed across root keys."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from commonhold import trust
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from notary import instance, keys, log, statements
from notary.models import TrustedRoot

pytestmark = pytest.mark.django_db


def current() -> trust.Trust:
    return trust.read_trusted_root(keys.trusted_root())


def fetch(version: int) -> bytes:
    return keys.root_version(version)


@pytest.fixture
def age(monkeypatch):
    """Let days go by for the trusted root."""

    def older(days: float) -> None:
        later = datetime.now(UTC) + timedelta(days=days)
        monkeypatch.setattr(timezone, "now", lambda: later)

    return older


def test_it_says_whose_signatures_count_here(settings):
    settings.SITE_URL, settings.LOG_ORIGIN = "https://data.example.org", "log.example.org"
    found = current()
    assert found.version == 1
    assert found.instance == f"urn:uuid:{instance.instance_id()}"
    assert (found.site, found.origin) == ("https://data.example.org", "log.example.org")
    assert [key.key for key in found.manifest_keys] == [keys.signer("manifest").public]
    assert [key.key for key in found.status_keys] == [keys.signer("status").public]
    assert found.root == keys.signer("root").public
    assert [found.log_vkey] == keys.log_verifiers()
    assert timedelta(days=89) < found.expires - timezone.now() <= timedelta(days=90)


@pytest.mark.parametrize(
    ("site", "origin", "address"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1", "http://127.0.0.1:8000/log"),
        ("https://data.example.org", "log.example.org", "https://log.example.org/log"),
        ("https://log.example.org.evil.example", "log.example.org", "https://log.example.org/log"),
    ],
)
def test_the_host_of_the_logs_address_is_its_name(settings, site, origin, address):
    settings.SITE_URL, settings.LOG_ORIGIN = site, origin
    assert json.loads(keys.trusted_root())["tlogs"][0]["baseUrl"] == address


def test_it_stays_while_nothing_changes():
    first = keys.trusted_root()
    statements.issue(payload=b"{}")
    log.integrate()
    assert keys.trusted_root() == first == keys.root_version(1)
    assert TrustedRoot.objects.count() == 1


def test_a_moved_site_makes_a_new_version(settings):
    first = current()
    settings.SITE_URL = "https://elsewhere.example"
    second = current()
    assert (second.version, second.site) == (2, "https://elsewhere.example")
    assert trust.follow(first, keys.trusted_root(), fetch) == second
    assert second.instance == first.instance


def test_another_name_of_the_log_stops_everything(settings):
    keys.trusted_root()
    settings.LOG_ORIGIN = "renamed.example"
    with pytest.raises(instance.LogOriginChanged):
        keys.trusted_root()


def test_it_is_renewed_once_half_of_its_life_is_over(age):
    first = current()
    age(44.9)
    assert current() == first
    age(45.1)
    second = current()
    assert second.version == 2
    assert second.expires - first.expires >= timedelta(days=45)
    assert current() == second


def test_a_version_that_there_is_not_is_a_refusal():
    keys.trusted_root()
    with pytest.raises(keys.NoSuchRoot, match="version 2"):
        keys.root_version(2)


@pytest.mark.django_db(transaction=True)
def test_all_who_ask_at_once_get_one_version():
    def ask(_: int) -> bytes:
        try:
            return keys.trusted_root()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1
    assert TrustedRoot.objects.count() == 1


@pytest.mark.parametrize("purpose", keys.Purpose.values)
def test_every_rotation_makes_a_version_that_leads_on_from_the_one_before(purpose):
    before = current()
    done = keys.rotate(purpose=purpose, by="Ada")
    after = trust.follow(before, keys.trusted_root(), fetch)
    assert after.version == 2
    listed = {
        "manifest": after.manifest_keys,
        "status": after.status_keys,
        "root": after.root_keys,
        "log": after.log_keys,
    }[purpose]
    assert [one.end for one in listed] == [None, done.retired_at]
    assert after.root.keyid == keys.in_use("root").keyid


def test_somebody_several_root_keys_behind_follows_the_chain():
    first = current()
    asked = []

    def noted(version: int) -> bytes:
        asked.append(version)
        return keys.root_version(version)

    for _ in range(3):
        keys.rotate(purpose="root", by="Ada")
        keys.rotate(purpose="manifest", by="Ada")
    found = trust.follow(first, keys.trusted_root(), noted)
    assert found.version == 7
    assert len(found.root_keys) == 4
    assert asked == [2, 3, 4, 5, 6]


def test_a_root_key_that_was_lost_leads_nowhere():
    before = current()
    keys.rotate(purpose="root", by="Ada", lost=True)
    with pytest.raises(trust.NotVouchedError):
        trust.follow(before, keys.trusted_root(), fetch)


def test_a_retired_log_key_is_bound_to_the_size_that_it_signed():
    for _ in range(3):
        statements.issue(payload=b"{}")
    log.integrate()
    keys.rotate(purpose="log", by="Ada")
    statements.issue(payload=b"{}")
    log.integrate()
    sizes = [one.size for one in current().log_keys]
    assert sizes == [None, 3]
    keys.rotate(purpose="log", by="Ada")
    keys.rotate(purpose="log", by="Ada")
    in_use, *retired = current().log_keys
    assert in_use.size is None
    assert sorted(one.size for one in retired) == [0, 3, 4]


def test_the_database_keeps_every_version_as_it_was():
    keys.trusted_root()
    with pytest.raises(IntegrityError), transaction.atomic():
        TrustedRoot.objects.update(document=b"{}")
    with pytest.raises(IntegrityError), transaction.atomic():
        TrustedRoot.objects.all().delete()
