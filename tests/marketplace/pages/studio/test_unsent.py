"""A form that arrives after its session ended comes back as it was typed, to its sender alone."""

from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ingestion.models import ConsentRecord, Dataset
from marketplace.http import unsent
from tests import factories, sealed, signing_in
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address
from tests.marketplace.pages.studio.test_consent import TYPED

LOGIN = "/accounts/login/"


def send_late(browser: Client, url: str, typed: dict):
    """See a page, and send its form after the session ended."""
    browser.get(url)
    Session.objects.all().delete()
    return browser.post(url, typed, headers={"Referer": f"http://testserver{url}"})


def heard(recording) -> dict:
    return {"heard-0-file": recording.pk, "heard-0-start": "0:01", "heard-0-end": "0:04"}


def test_a_long_form_is_not_lost_with_its_session(browser, draft, recording, contributor):
    url = address(draft, "new_consent")
    asked = send_late(browser, url, TYPED | heard(recording))
    assert asked.status_code == 302
    assert asked["Location"] == f"{LOGIN}?next={url}"
    assert not ConsentRecord.objects.exists()
    signing_in.browser_of(contributor, browser)
    back = browser.get(url)
    page = back.content.decode()
    assert "What you typed is here again" in page
    assert 'value="Amina Kato"' in page
    assert TYPED["notice_text"] in page
    assert 'value="0:04"' in page
    assert back.context["form"]["purposes"].value() == TYPED["purposes"]
    assert "field-error" not in page
    assert not ConsentRecord.objects.exists()
    assert browser.post(url, TYPED | heard(recording)).status_code == 302
    assert ConsentRecord.objects.count() == 1


def test_it_comes_back_once(browser, draft, recording, contributor):
    url = address(draft, "new_consent")
    send_late(browser, url, TYPED)
    signing_in.browser_of(contributor, browser)
    browser.get(url)
    assert "Amina Kato" not in browser.get(url).content.decode()


def test_nobody_else_gets_it_in_the_same_browser_nor_its_sender_in_another(
    browser, draft, recording, contributor, station
):
    url = address(draft, "new_consent")
    send_late(browser, url, TYPED)
    elsewhere = signing_in.browser_of(contributor)
    assert "Amina Kato" not in elsewhere.get(url).content.decode()
    colleague = factories.member(station, "editor")
    signing_in.browser_of(colleague, browser)
    assert "Amina Kato" not in browser.get(url).content.decode()
    signing_in.browser_of(contributor, browser)
    assert "Amina Kato" not in browser.get(url).content.decode()


def test_a_cookie_that_we_did_not_sign_opens_nothing(browser, draft, recording, contributor):
    url = address(draft, "new_consent")
    send_late(browser, url, TYPED)
    signing_in.browser_of(contributor, browser)
    browser.cookies[unsent.HELD] = browser.cookies[unsent.HELD].value + "x"
    assert "Amina Kato" not in browser.get(url).content.decode()


def test_what_a_stranger_sends_is_not_kept(draft):
    stranger = Client()
    stranger.post(address(draft, "new_consent"), TYPED)
    assert unsent.HELD not in stranger.cookies


def test_a_form_from_another_site_is_not_kept(draft, contributor):
    browser = signing_in.browser_of(contributor, Client(enforce_csrf_checks=True))
    url = address(draft, "new_consent")
    assert send_late(browser, url, TYPED).status_code == 403
    assert unsent.HELD not in browser.cookies


def test_chosen_files_are_asked_for_again(browser, draft, recording, contributor):
    url = address(draft, "import_consent")
    table = SimpleUploadedFile("consents.csv", b"x")
    send_late(browser, url, {"csv": table, "notice_text": "We publish it."})
    signing_in.browser_of(contributor, browser)
    page = browser.get(url).content.decode()
    assert "choose them again" in page
    assert "We publish it." in page


def test_a_new_dataset_and_a_reason_come_back_too(browser, draft, recording, contributor):
    new = reverse("studio:new")
    record = stages.agreed(draft, recording)
    void = address(draft, "void", record.pk)
    for url, typed in ((new, {"title": "Evening show"}), (void, {"reason": "Evening show"})):
        send_late(browser, url, typed)
        signing_in.browser_of(contributor, browser)
        assert "Evening show" in browser.get(url).content.decode()
    assert Dataset.objects.count() == 1


def test_a_correction_comes_back_where_its_stretch_is_read(browser, station, contributor):
    version = stages.in_review(sealed.dataset(station))
    page = address(version, "recording", stages.only_recording(version).pk)
    seen = browser.get(f"{page}?show=all").content.decode()
    stretch = stages.segments(version)[2]
    assert f'name="stands" value="{stretch.pk}"' in seen
    Session.objects.all().delete()
    typed = {"action": "read", "text": "The market opens at nine.", "stands": stretch.pk}
    headers = {"HX-Request": "true", "Referer": f"http://testserver{page}?show=all"}
    asked = browser.post(address(version, "review_segment", stretch.pk), typed, headers=headers)
    assert asked["Location"] == f"{LOGIN}?next={page}%3Fshow%3Dall"
    signing_in.browser_of(contributor, browser)
    back = browser.get(page)
    assert "What you typed is here again" in back.content.decode()
    rows = {row["segment"]: row["typed"] for row in back.context["passages"]}
    assert rows.pop(stretch)["text"] == typed["text"]
    assert not any(rows.values())
    assert ">The market opens at nine.</textarea>" in back.content.decode()


def test_what_has_no_page_of_its_own_leads_back_to_where_it_was_sent_from(browser, draft):
    page = address(draft, "pipeline")
    browser.get(page)
    Session.objects.all().delete()
    headers = {"Referer": f"http://testserver{page}?x=1"}
    asked = browser.post(address(draft, "start"), headers=headers)
    assert asked["Location"] == f"{LOGIN}?next={page}%3Fx%3D1"
    elsewhere = {"Referer": "https://evil.example/studio/"}
    asked = browser.post(address(draft, "start"), headers=elsewhere)
    assert "evil" not in asked["Location"]
