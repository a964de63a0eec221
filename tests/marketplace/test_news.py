"""News and cursors: an event costs what it touches, is followed once, and is never passed over."""

import re
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ingestion import news
from ingestion.models import Cursor, News
from licensing import following
from licensing.models import Offer
from marketplace import listings
from marketplace.models import Listing
from tests import sealed, trade

pytestmark = pytest.mark.django_db


def test_a_withdrawal_closes_the_offer_and_tells_it_once():
    version = sealed.version()
    offer = trade.offer(version)
    trade.follow()
    trade.withdraw(version)
    trade.follow()
    offer.refresh_from_db()
    assert offer.closed_because == Offer.Closed.CONSENT
    assert Listing.objects.get(dataset=version.dataset).allows == []
    assert following.follow() == 0
    assert listings.follow() == 0


def test_following_costs_what_the_news_touch_however_much_else_is_listed():
    costs = []
    for _ in range(2):
        untouched = trade.offer(sealed.version()).version.dataset
        changed = sealed.version()
        trade.offer(changed)
        trade.follow()
        before = Listing.objects.get(dataset=untouched).updated_at
        trade.withdraw(changed)
        with CaptureQueriesContext(connection) as queries:
            trade.follow()
        assert Listing.objects.get(dataset=untouched).updated_at == before
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_with_nothing_new_following_asks_no_more_than_its_cursors():
    trade.offer(sealed.version())
    trade.follow()
    with CaptureQueriesContext(connection) as queries:
        trade.follow()
    tables = set(re.findall(r'(?:FROM|INTO|UPDATE) "(\w+)"', " ".join(map(str, queries))))
    assert tables == {"ingestion_cursor", "ingestion_news", "licensing_news"}


def test_a_cursor_moves_with_what_was_done_or_not_at_all():
    version = sealed.version()
    trade.offer(version)
    trade.follow()
    trade.withdraw(version)

    class Lost(Exception):
        pass

    with pytest.raises(Lost), transaction.atomic(), news.reading(News, reader="test"):
        raise Lost
    with news.reading(News, reader="test") as rows:
        assert rows


def test_a_restored_backup_is_told_apart_and_caught_up_with_anew():
    version = sealed.version()
    offer = trade.offer(version)
    trade.follow()
    Cursor.objects.filter(feed="ingestion.news").update(position=10**9)
    with pytest.raises(CommandError, match="catch_up --anew"):
        call_command("catch_up")
    trade.withdraw(version)
    call_command("catch_up", "--anew")
    offer.refresh_from_db()
    assert offer.closed_because == Offer.Closed.CONSENT
    call_command("catch_up")


@pytest.mark.django_db(transaction=True)
def test_a_slow_writer_is_not_passed_over():
    version = sealed.version()
    told, may_end = threading.Event(), threading.Event()

    def slowly() -> None:
        try:
            with transaction.atomic():
                news.of_version(version=version, kind=News.Kind.WITHDRAWN)
                told.set()
                may_end.wait(10)
        finally:
            connection.close()

    def quickly() -> None:
        try:
            news.of_version(version=version, kind=News.Kind.WITHDRAWN)
        finally:
            connection.close()

    with news.reading(News, reader="test") as rows:
        seen = len(rows)
    writers = [threading.Thread(target=slowly), threading.Thread(target=quickly)]
    writers[0].start()
    assert told.wait(10)
    writers[1].start()
    with news.reading(News, reader="test") as rows:
        assert rows == []
    may_end.set()
    for writer in writers:
        writer.join(10)
    with news.reading(News, reader="test") as rows:
        assert len(rows) == 2
    assert seen
