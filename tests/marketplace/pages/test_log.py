"""The public log, for people."""

import pytest
from django.test import Client

from licensing.models import Grant
from notary import log
from tests import sealed, trade

pytestmark = pytest.mark.django_db


def text(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_log_says_so():
    assert "Nothing has been logged yet" in text("/log")
    assert Client().get("/log/entry/0").status_code == 404


def test_the_log_shows_its_checkpoint_and_last_entries():
    sealed.version()
    log.integrate()
    checkpoint = log.latest_checkpoint()
    assert checkpoint is not None
    page = text("/log")
    assert checkpoint.note.splitlines()[2] in page
    assert "/log/entry/0" in page
    assert "commonhold log check" in page


def test_an_entry_names_a_public_seal_but_never_a_licensee():
    grant = trade.grant()
    log.integrate()
    grant = Grant.objects.get(pk=grant.pk)
    seal = text(f"/log/entry/{grant.version.seal.statement.entry.index}")
    assert grant.version.dataset.title in seal
    license_entry = text(f"/log/entry/{grant.statement.entry.index}")
    assert grant.version.dataset.title not in license_entry
    assert grant.licensee_name not in license_entry
    assert "hashedrekord" in license_entry
    assert Client().get("/log/entry/99").status_code == 404
