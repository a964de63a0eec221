"""Writing consents down, one or many, and recording a withdrawal."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ingestion import consent
from ingestion.models import ConsentEvent, ConsentRecord
from tests import sealed
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address

TYPED = {
    "name": "Amina Kato",
    "contact": "amina@example.org",
    "role": "presenter",
    "purposes": ["speech-recognition", "research"],
    "given_on": "2026-03-03",
    "jurisdiction": "UG",
    "notice_text": "We publish the show as training data.",
    "notice_language": "en",
    "heard-TOTAL_FORMS": "1",
    "heard-INITIAL_FORMS": "0",
    "heard-0-file": "",
    "heard-0-start": "",
    "heard-0-end": "",
}


def write(browser, draft, **typed):
    typed = {name.replace("heard_0_", "heard-0-"): value for name, value in typed.items()}
    return browser.post(address(draft, "new_consent"), TYPED | typed)


def test_a_consent_is_recorded_with_its_stretch_and_its_evidence(browser, draft, recording):
    form = SimpleUploadedFile("amina.pdf", b"%PDF signed")
    response = write(
        browser,
        draft,
        heard_0_file=recording.pk,
        heard_0_start="0:01.500",
        heard_0_end="0:00:04",
        evidence=form,
    )
    record = ConsentRecord.objects.get()
    scope = record.scopes.get()
    assert response.status_code == 302
    assert record.purposes == ["research", "speech-recognition"]
    assert (scope.recording, scope.start_ms, scope.end_ms) == (recording, 1500, 4000)
    handed = browser.get(address(draft, "evidence", record.pk))
    assert handed["Cache-Control"] == "private, no-store"
    assert b"".join(handed.streaming_content) == b"%PDF signed"
    assert "amina.pdf" in handed["Content-Disposition"]
    assert handed["Content-Disposition"].startswith("attachment")


def test_the_law_is_chosen_by_the_name_of_its_country(browser, draft, recording):
    page = browser.get(address(draft, "new_consent")).content.decode()
    assert '<option value="UG">Uganda</option>' in page
    assert '<option value="EU">European Union</option>' in page
    refused = write(browser, draft, everywhere="on", jurisdiction="ZZ")
    assert refused.status_code == 422
    assert refused.context["form"].errors.keys() == {"jurisdiction"}
    write(browser, draft, everywhere="on")
    record = ConsentRecord.objects.get()
    assert record.jurisdiction == "UG"
    told = browser.get(address(draft, "consent_record", record.pk)).content.decode()
    assert "<dd>Uganda</dd>" in told


def test_a_language_is_proposed_by_its_names_and_kept_by_its_code(browser, draft, recording):
    page = browser.get(address(draft, "new_consent")).content.decode()
    assert '<option value="sw">Swahili · Kiswahili</option>' in page
    write(browser, draft, everywhere="on", notice_language="Kiswahili")
    assert ConsentRecord.objects.get().notice_language == "sw"


def test_a_language_that_nobody_knows_is_refused_at_its_field(browser, draft, recording):
    response = write(browser, draft, everywhere="on", notice_language="xx-bad")
    assert response.context["form"].errors.keys() == {"notice_language"}
    assert "«xx-bad» is no language that we know" in response.content.decode()


def test_the_very_same_consent_is_written_down_once_and_the_page_says_so(browser, draft, recording):
    write(browser, draft, everywhere="on")
    again = write(browser, draft, everywhere="on")
    record = ConsentRecord.objects.get()
    assert again["Location"] == address(draft, "consent_record", record.pk)
    assert "is recorded already" in browser.get(again["Location"]).content.decode()


def test_the_very_same_consent_after_its_withdrawal_is_not_given_anew(browser, draft, recording):
    write(browser, draft, everywhere="on")
    record = ConsentRecord.objects.get()
    browser.post(address(draft, "withdraw", record.pk))
    browser.get(address(draft, "consent_record", record.pk))
    page = browser.get(write(browser, draft, everywhere="on")["Location"]).content.decode()
    assert "was recorded before and withdrawn on" in page
    assert ConsentRecord.objects.count() == 1


def test_a_refused_consent_leaves_no_speaker_behind(browser, draft, recording):
    form = SimpleUploadedFile("amina.pdf", b"")
    for typed in ({"given_on": "2999-01-01"}, {"evidence": form}):
        assert write(browser, draft, everywhere="on", **typed).status_code == 422
    assert not draft.dataset.speakers.exists()


def test_heard_everywhere_covers_every_file(browser, draft, recording):
    stages.recording(draft, path="evening.wav")
    write(browser, draft, everywhere="on")
    assert ConsentRecord.objects.get().scopes.count() == 2


def test_voice_cloning_is_allowed_only_where_it_was_ticked_by_name(browser, draft, recording):
    write(browser, draft, everywhere="on")
    write(browser, draft, everywhere="on", name="Juma", sensitive=["voice-cloning"])
    allowed = {
        one.speaker.name: "voice-cloning" in one.purposes for one in ConsentRecord.objects.all()
    }
    assert allowed == {"Amina Kato": False, "Juma": True}


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"purposes": []}, "purposes", "names at least one purpose"),
        ({"given_on": "2999-01-01"}, "given_on", "in the future"),
        ({"expires_on": "2026-03-02"}, "expires_on", "not after the day it was given"),
        ({"given_on": "2020-01-01", "expires_on": "2021-01-01"}, "expires_on", "expired on"),
        ({"notice_text": ""}, "notice_text", "required"),
        ({"excluded_purposes": ["research"]}, "excluded_purposes", "allowed and excluded at once"),
        ({"everywhere": ""}, "everywhere", "Say where the speaker is heard"),
    ],
)
def test_a_consent_that_cannot_stand_is_refused_at_its_field_and_nothing_typed_is_lost(
    browser, draft, recording, *, typed, field, words
):
    response = write(browser, draft, **({"everywhere": "on"} | typed))
    page = response.content.decode()
    assert response.status_code == 422
    assert words in str(response.context["form"].errors[field])
    assert "Amina Kato" in page
    assert "amina@example.org" in page
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize(
    ("start", "end", "field", "words"),
    [
        ("0:10", "0:05", "start", "must start before it ends"),
        ("0:10", "0:30", "end", "morning.wav"),
        ("ten", "0:05", "start", "is not a time"),
    ],
)
def test_a_stretch_that_cannot_stand_is_refused_in_its_row(
    browser, draft, recording, *, start, end, field, words
):
    response = write(
        browser, draft, heard_0_file=recording.pk, heard_0_start=start, heard_0_end=end
    )
    row = response.context["stretches"][0]
    assert response.status_code == 422
    assert words in str(row.errors[field])
    assert f'value="{start}"' in response.content.decode()


def test_a_file_of_another_dataset_cannot_be_chosen(browser, draft, recording):
    other = stages.recording(stages.draft())
    response = write(browser, draft, heard_0_file=other.pk)
    assert response.status_code == 422
    assert not ConsentRecord.objects.exists()


def test_one_more_stretch_keeps_what_was_typed_and_judges_nothing_yet(browser, draft, recording):
    response = write(browser, draft, name="", more="1", heard_0_start="0:01")
    page = response.content.decode()
    assert response.status_code == 200
    assert "heard-1-file" in page
    assert 'value="0:01"' in page
    assert "field-error" not in page
    assert not ConsentRecord.objects.exists()


def test_the_next_form_proposes_the_notice_but_never_what_was_agreed_to(browser, draft, recording):
    write(browser, draft, everywhere="on")
    form = browser.get(address(draft, "new_consent")).context["form"]
    assert form.initial["notice_text"] == TYPED["notice_text"]
    assert "purposes" not in form.initial


def test_names_are_shown_to_contributors_beside_the_pseudonym(browser, draft, recording):
    write(browser, draft, everywhere="on")
    page = browser.get(address(draft, "consent")).content.decode()
    assert "Amina Kato" in page
    assert "p-0001" in page


def test_the_record_tells_the_terms_in_plain_words(browser, draft, recording):
    record = stages.agreed(draft, recording, start_ms=1000, end_ms=2500, excluded=["voice-cloning"])
    page = browser.get(address(draft, "consent_record", record.pk)).content.decode()
    assert "to teach computers to write down what people say" in page
    assert "to make a computer sound exactly like them" in page
    assert "0:01.0\N{EN DASH}0:02.5" in page


def test_a_withdrawal_is_asked_about_before_it_is_recorded(browser, draft, recording):
    record = stages.agreed(draft, recording)
    asked = browser.get(address(draft, "withdraw", record.pk)).content.decode()
    record.refresh_from_db()
    assert "It does not un-train a model" in asked
    assert record.withdrawn_at is None
    browser.post(address(draft, "withdraw", record.pk))
    record.refresh_from_db()
    assert record.withdrawn_at is not None


def test_a_withdrawal_names_who_recorded_it_and_asked_again_changes_nothing(
    browser, draft, recording, contributor
):
    record = stages.agreed(draft, recording)
    for _ in range(2):
        browser.post(address(draft, "withdraw", record.pk))
    events = ConsentEvent.objects.filter(record_id=record.pk, type=ConsentEvent.Type.WITHDRAWN)
    assert [event.actor for event in events] == [str(contributor)]
    assert (
        "It was withdrawn on" in browser.get(address(draft, "withdraw", record.pk)).content.decode()
    )


def test_the_drawing_tells_covered_and_withdrawn_stretches_apart(browser, draft, recording):
    stages.agreed(draft, recording, start_ms=0, end_ms=4000)
    gone = stages.agreed(draft, recording, name="Juma", start_ms=6000, end_ms=9000)
    browser.post(address(draft, "withdraw", gone.pk))
    drawn = browser.get(address(draft, "consent")).context["strips"][0]
    assert drawn.covered == [(0, 4000)]
    assert drawn.gaps == [(4000, 12_000)]
    assert drawn.ended == [(6000, 9000)]


def test_what_was_struck_out_as_a_mistake_is_told_so_and_never_was_a_consent(
    browser, draft, recording, contributor
):
    record = stages.agreed(draft, recording)
    consent.void(record=record, reason="Another Amina.", by=contributor)
    page = browser.get(address(draft, "consent"))
    assert "Struck out" in page.content.decode()
    assert page.context["strips"][0].ended == []
    told = browser.get(address(draft, "consent_record", record.pk)).content.decode()
    assert "Another Amina." in told
    assert "Record a withdrawal" not in told
    refused = browser.post(address(draft, "withdraw", record.pk))
    assert refused.status_code == 409
    assert "as a mistake" in refused.content.decode()


def test_a_purpose_that_was_taken_back_is_told_apart_from_those_that_stand(
    browser, draft, recording, contributor
):
    record = stages.agreed(draft, recording)
    consent.withdraw_purposes(record=record, purposes=["commercial"], by=contributor)
    page = browser.get(address(draft, "consent_record", record.pk))
    assert len(page.context["agreed"]) == len(sealed.TRAINING) - 1
    assert len(page.context["taken_back"]) == 1
    assert "Commercial use: taken back" in browser.get(address(draft, "consent")).content.decode()


def test_a_transcript_is_nothing_that_somebody_is_heard_in(browser, draft, recording):
    with_transcript = stages.recording(draft, path="evening.wav")
    stages.transcribed(draft, with_transcript)
    form = browser.get(address(draft, "new_consent")).context["stretches"][0]
    assert [name for _, name in form.fields["file"].choices] == [
        "Choose a file",
        "evening.wav",
        "morning.wav",
    ]
