"""The list of datasets, beginning one, and the one thing to do next."""

from django.test import Client
from django.urls import reverse

from accounts.models import Role
from ingestion.models import Dataset, PipelineRun, Version
from notary import log
from tests import factories, sealed, trade
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address

NEW = {
    "title": "Morning show",
    "slug": "",
    "language": "sw",
    "task": "speech-recognition",
    "description": "Calls from the valley.",
}


def text_of(response):
    return response.content.decode()


def test_an_empty_studio_explains_the_walk(browser):
    page = text_of(browser.get("/studio/"))
    assert "This is the way a recording goes" in page
    assert "New dataset" in page


def test_the_studio_lists_only_the_datasets_of_the_acting_organization(browser, station):
    sealed.dataset(station, title="Ours to tell")
    sealed.dataset(title="Somebody else's")
    page = text_of(browser.get("/studio/"))
    assert "Ours to tell" in page
    assert "Somebody else" not in page


def test_somebody_without_an_organization_is_told_what_to_do(db):
    client = Client()
    client.force_login(factories.user())
    page = client.get("/studio/")
    assert page.status_code == 200
    assert "You belong to no organization yet" in text_of(page)


def test_somebody_who_only_buys_is_told_so(station):
    client = Client()
    client.force_login(factories.member(station, Role.BUYER))
    assert client.get("/studio/").status_code == 403
    assert client.get("/studio/new/").status_code == 403
    assert client.post("/studio/new/", NEW).status_code == 403
    assert not Dataset.objects.exists()


def test_a_dataset_is_begun_and_its_short_name_made_from_the_title(browser, station):
    response = browser.post("/studio/new/", NEW)
    dataset = Dataset.objects.get()
    assert (dataset.organization, dataset.slug) == (station, "morning-show")
    assert response["Location"] == reverse("studio:files", args=[station.slug, "morning-show"])


def test_a_short_name_that_is_taken_is_refused_at_its_field_and_nothing_typed_is_lost(
    browser, station
):
    sealed.dataset(station, slug="morning-show")
    response = browser.post("/studio/new/", NEW)
    page = text_of(response)
    assert response.status_code == 422
    assert "has a dataset «morning-show» already" in page
    assert 'value="Morning show"' in page
    assert "Calls from the valley." in page
    assert response.context["form"].errors.keys() == {"slug"}


def test_a_language_is_chosen_by_its_name(browser):
    page = text_of(browser.get("/studio/new/"))
    assert '<option value="ach">Acoli</option>' in page
    browser.post("/studio/new/", NEW | {"language": "Kiswahili"})
    assert Dataset.objects.get().language == "sw"


def test_a_language_that_is_no_code_is_refused_at_its_field(browser):
    response = browser.post("/studio/new/", NEW | {"language": "mostly Swahili"})
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"language"}


def test_a_title_without_latin_letters_asks_for_a_short_name(browser):
    response = browser.post("/studio/new/", NEW | {"title": "برنامج الصباح"})
    assert response.context["form"].errors.keys() == {"slug"}


def next_action(browser, version):
    return browser.get(address(version, "overview")).context["step"].action


def test_the_next_step_follows_the_version_along_its_thread(browser, station):
    def begin():
        return stages.draft(sealed.dataset(station))

    empty, silent, ready = begin(), begin(), begin()
    stages.recording(silent)
    stages.agreed(ready, stages.recording(ready))
    assert next_action(browser, empty) == "Add files"
    assert next_action(browser, silent) == "Record consent"
    assert next_action(browser, ready) == "Start processing"
    working = stages.version_of(stages.working(sealed.dataset(station)))
    stopped = stages.version_of(stages.working(sealed.dataset(station), error="It is damaged."))
    assert next_action(browser, working) == "Watch it work"
    assert next_action(browser, stopped) == "See what stopped"
    assert next_action(browser, stages.in_review(sealed.dataset(station))) == "Review"
    assert next_action(browser, sealed.version(sealed.dataset(station))) == "Offer a license"


def test_a_sealed_version_is_told_to_be_unseen_until_it_was_offered(browser, station):
    version = sealed.version(sealed.dataset(station))

    def told():
        page = browser.get(address(version, "overview"))
        return page.context["step"].sentence, "alone sees it" in text_of(page)

    choose = "Choose who may use it, for what, and for how much."
    assert told() == (f"Version 1 is sealed, and nobody else sees it yet. {choose}", True)
    offer = trade.offer(version)
    assert told() == ("Version 1 is published and can be licensed.", False)
    browser.post(address(version, "close_offer", offer.pk))
    assert told() == (f"Version 1 is sealed, and nothing of it is offered now. {choose}", False)


def test_the_thread_breaks_where_a_run_stopped(browser, station):
    version = stages.version_of(stages.working(sealed.dataset(station), error="It is damaged."))
    thread = browser.get(address(version, "overview")).context["stations"]
    assert thread["text"]["state"] == "refused"
    assert thread["source"]["state"] == "done"
    assert thread["seal"]["state"] == "waiting"


def test_a_sealed_version_shows_its_digests_and_log_entry(browser, station):
    version = sealed.version(sealed.dataset(station))
    page = text_of(browser.get(address(version, "overview")))
    assert version.merkle_root in page
    assert version.seal.release_sha256 in page
    assert "takes it up within a minute" in page
    log.integrate()
    version.seal.statement.entry.refresh_from_db()
    number = version.seal.statement.entry.index
    page = text_of(browser.get(address(version, "overview")))
    assert f"Entry {number}" in page
    assert f'href="/log/entry/{number}"' in page


def test_a_withdrawn_consent_breaks_the_thread_of_a_sealed_version(browser, station):
    version = sealed.version(sealed.dataset(station))
    record = version.dataset.consent_records.first()
    browser.post(address(version, "withdraw", record.pk))
    thread = browser.get(address(version, "overview")).context["stations"]
    assert thread["consent"]["state"] == "refused"


def test_the_next_version_is_begun_beside_the_sealed_one(browser, station):
    version = sealed.version(sealed.dataset(station))
    browser.post(address(version, "open_version"))
    numbers = version.dataset.versions.values_list("number", "state").order_by("number")
    assert list(numbers) == [(1, Version.State.SEALED), (2, Version.State.DRAFT)]


def test_the_studio_of_a_long_list_is_paged(browser, station):
    for number in range(22):
        sealed.dataset(station, title=f"Tape {number}")
    first, second = (browser.get(f"/studio/?page={page}") for page in (1, 2))
    assert len(first.context["rows"]) == 20
    assert len(second.context["rows"]) == 2
    assert not PipelineRun.objects.exists()
