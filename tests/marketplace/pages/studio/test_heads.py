"""What the studio asks of the database: the same few questions however much there is."""

import pytest

from tests import sealed
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address

ALL_OF_HOME = 16
"""Six of them for what the organization takes up of its quotas."""


def every_stage(station):
    """One dataset at each place of the thread."""
    stages.draft(sealed.dataset(station))
    stages.recording(stages.draft(sealed.dataset(station)))
    stages.working(sealed.dataset(station))
    stages.working(sealed.dataset(station), error="It is damaged.")
    stages.in_review(sealed.dataset(station))
    stages.in_review(sealed.dataset(station), covered=False)
    sealed.version(sealed.dataset(station))
    stages.left_out(stages.carried_over(sealed.dataset(station)), "Juma")
    stages.left_out(shared(station), "Juma")
    stages.withdrawn(stages.carried_over(sealed.dataset(station)), "Juma")


def shared(station):
    """A version in review of which one stretch is shared by two people."""
    version = stages.in_review(sealed.dataset(station))
    stages.agreed(version, stages.only_recording(version), name="Peter", start_ms=500, end_ms=1500)
    return stages.left_out(version, "Peter")


def test_the_home_of_one_dataset_asks_few_questions(
    browser, station, django_assert_max_num_queries
):
    shared(station)
    with django_assert_max_num_queries(ALL_OF_HOME):
        page = browser.get("/studio/")
    assert len(page.context["rows"]) == 1


def test_the_home_of_twenty_datasets_asks_no_more(browser, station, django_assert_max_num_queries):
    every_stage(station)
    every_stage(station)
    with django_assert_max_num_queries(ALL_OF_HOME):
        page = browser.get("/studio/")
    assert len(page.context["rows"]) == 20


def test_the_home_tells_each_dataset_as_its_own_page_does(browser, station):
    every_stage(station)
    rows = browser.get("/studio/").context["rows"]
    assert len(rows) == 10
    for row in rows:
        alone = browser.get(address(row["work"].version, "overview")).context
        assert row["stations"] == alone["stations"]
        assert row["step"] == alone["step"]


MOST = {"overview": 14, "files": 14, "consent": 20, "pipeline": 14, "review": 13, "offers": 14}
"""What a tab may ask: session, reader, memberships, dataset, version, head, damage, and its own.

The consent tab asks for labels, who is known, and what waits."""


@pytest.mark.parametrize("tab", MOST)
def test_a_tab_asks_as_much_of_many_recordings_as_of_one(
    browser, station, tab, django_assert_max_num_queries
):
    version = stages.draft(sealed.dataset(station))
    for _ in range(12):
        sealed.add(version)
    with django_assert_max_num_queries(MOST[tab]):
        assert browser.get(address(version, tab)).status_code == 200


@pytest.mark.parametrize("tab", MOST)
def test_a_tab_of_a_sealed_version_asks_no_more_with_more_consents(
    browser, station, tab, django_assert_max_num_queries
):
    version = sealed.version(sealed.dataset(station))
    for name in ("Peter", "Grace", "Okello"):
        stages.agreed(version, stages.only_recording(version), name=name)
    with django_assert_max_num_queries(MOST[tab]):
        assert browser.get(address(version, tab)).status_code == 200


def test_a_recording_asks_as_much_with_many_passages_as_with_one(
    browser, station, django_assert_max_num_queries
):
    version = stages.in_review(sealed.dataset(station), said=sealed.MORNING * 10)
    url = address(version, "recording", stages.only_recording(version).pk) + "?show=all"
    with django_assert_max_num_queries(17):
        page = browser.get(url)
    assert len(page.context["passages"]) == 40
