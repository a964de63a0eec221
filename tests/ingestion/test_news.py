"""News: told in the order of the commits, read once by each reader, never passed over."""

import threading
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction

from ingestion import news
from ingestion.models import Cursor, Dataset, News
from ingestion.news import CursorAhead
from licensing.models import News as LicensingNews
from tests import at_once, factories, sealed

pytestmark = pytest.mark.django_db

EDITED = News.Kind.EDITED


@pytest.fixture
def dataset() -> Dataset:
    return sealed.dataset()


def tell(dataset: Dataset, count: int = 1) -> list[int]:
    with transaction.atomic():
        return [news.tell(News, kind=EDITED, dataset=dataset).pk for _ in range(count)]


def read(reader: str = "test", feed=News) -> list[int]:
    with news.reading(feed, reader=reader) as rows:
        return [row.pk for row in rows]


def test_what_is_told_is_read_once(dataset):
    told = tell(dataset, 3)
    assert read() == told
    assert read() == []
    later = tell(dataset)
    assert read() == later


def test_each_reader_has_a_cursor_of_its_own(dataset):
    first = tell(dataset, 2)
    assert read("one") == first
    second = tell(dataset)
    assert read("other") == first + second
    assert read("one") == second


def test_each_feed_is_read_for_itself(dataset):
    mine = tell(dataset, 2)
    theirs = news.tell(LicensingNews, kind=LicensingNews.Kind.OFFER_OPENED, dataset=dataset.pk)
    assert read(feed=LicensingNews) == [theirs.pk]
    assert read() == mine


def test_what_a_reader_could_not_deal_with_is_read_again(dataset):
    told = tell(dataset, 2)

    def fail() -> None:
        with news.reading(News, reader="test"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert read() == told


def test_what_a_reader_does_and_how_far_it_has_read_go_together(dataset):
    told = tell(dataset)

    def fail() -> None:
        with news.reading(News, reader="test"):
            factories.user("half@example.org")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    factories.user("half@example.org")
    assert read() == told


def test_a_long_backlog_is_read_in_order_a_part_at_a_time(dataset):
    told = tell(dataset, news.MOST_AT_ONCE + 3)
    assert read() == told[: news.MOST_AT_ONCE]
    assert read() == told[news.MOST_AT_ONCE :]


def test_a_reader_that_has_read_more_than_there_is_stops_and_says_what_to_do(dataset):
    told = tell(dataset, 3)
    assert read() == told
    Cursor.objects.filter(reader="test").update(position=told[-1] + 1)
    with pytest.raises(CursorAhead, match=f"up to number {told[-1] + 1}, but the newest is"):
        read()
    assert Cursor.objects.get(reader="test").position == told[-1] + 1
    tell(dataset, 2)
    assert len(read()) == 1


def test_a_reader_is_ahead_of_a_feed_that_is_empty_too(dataset):
    Cursor.objects.create(reader="test", feed="ingestion.news", position=1)
    with pytest.raises(CursorAhead, match="the newest is 0"):
        read()


def test_a_reader_that_made_everything_anew_goes_on_from_the_end(dataset):
    tell(dataset, 3)
    news.skip_to_end(News, reader="test")
    assert read() == []
    Cursor.objects.filter(reader="test").update(position=10**9)
    news.skip_to_end(News, reader="test")
    assert read() == []
    later = tell(dataset)
    assert read() == later


def test_news_is_never_changed_or_taken_back(dataset):
    tell(dataset)
    for change in (News.objects.all().delete, partial(News.objects.update, kind="sealed")):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_news_of_a_transaction_that_failed_was_never_told(dataset):
    with transaction.atomic():
        news.tell(News, kind=EDITED, dataset=dataset)
        transaction.set_rollback(True)
    assert read() == []


def test_an_idle_reader_asks_the_same_few_questions_however_much_was_told(
    dataset, django_assert_num_queries
):
    for _ in range(2):
        tell(dataset, 50)
        read()
        with django_assert_num_queries(6):
            read()


@pytest.mark.django_db(transaction=True)
def test_who_tells_later_waits_until_who_told_before_is_done(dataset):
    with transaction.atomic():
        first = news.tell(News, kind=EDITED, dataset=dataset).pk
        second = at_once.Call(partial(tell, dataset)).until_it_waits()
        assert at_once.Call(read).result() == []
    (later,) = second.result()
    assert first < later
    assert read() == [first, later]


@pytest.mark.django_db(transaction=True)
def test_readers_of_one_name_take_turns_and_others_go_on(dataset):
    told = tell(dataset, 2)
    with news.reading(News, reader="test") as rows:
        again = at_once.Call(read).until_it_waits()
        assert at_once.Call(partial(read, "other")).result() == told
        assert [row.pk for row in rows] == told
    assert again.result() == []


@pytest.mark.django_db(transaction=True)
def test_however_many_tell_at_once_a_reader_misses_nothing_and_reads_nothing_twice(dataset):
    writers, each = 4, 12
    ended, seen = threading.Event(), []

    def write() -> None:
        for number in range(each):
            with transaction.atomic(), connection.cursor() as cursor:
                news.tell(News, kind=EDITED, dataset=dataset)
                cursor.execute("SELECT pg_sleep(%s)", [0.002 * (number % 3)])

    def follow() -> None:
        while not ended.is_set():
            seen.extend(read())

    follower = at_once.Call(follow)
    at_once.all_of(*[write] * writers)
    ended.set()
    follower.result()
    seen.extend(read())
    assert len(seen) == writers * each
    assert seen == sorted(seen) == list(News.objects.values_list("pk", flat=True))
