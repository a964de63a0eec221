"""Writing many consents down: what the table would do is shown and confirmed, or all its faults."""

import csv
import io
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from ingestion.archive import sweeping
from ingestion.consent import imports
from ingestion.models import Blob, ConsentRecord
from tests import factories, sealed, signing_in
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address


def table(*rows, header=imports.COLUMNS):
    lines = [",".join(header), *(",".join(row) for row in rows)]
    return SimpleUploadedFile("consents.csv", "\n".join(lines).encode())


def line(
    *,
    name="Amina",
    file="morning.wav",
    purposes="research",
    start="",
    end="",
    given="2026-03-03",
    evidence="",
    minor="no",
):
    said = {
        "speaker_name": name,
        "role": "speaker",
        "jurisdiction": "UG",
        "notice_language": "en",
        "notice_version": "1",
        "given_on": given,
        "purposes": purposes,
        "file": file,
        "start": start,
        "end": end,
        "evidence": evidence,
        "minor": minor,
    }
    return [said.get(column, "") for column in imports.COLUMNS]


def show(browser, draft, csv, **more):
    """Send a table; answers with what it would do, or with what is wrong."""
    sent = {"csv": csv, "notice_text": "We publish it."} | more
    return browser.post(address(draft, "import_consent"), sent)


def confirm(browser, draft, shown):
    """Confirm what a page showed."""
    return browser.post(address(draft, "import_consent"), {"waiting": shown.context["waiting"]})


def bring(browser, draft, csv, **more):
    """Send a table, and confirm what is shown."""
    return confirm(browser, draft, show(browser, draft, csv, **more))


def test_the_template_has_a_row_for_each_file(browser, draft, recording):
    stages.transcribed(draft, stages.recording(draft, path="evening.wav", duration_ms=61_500))
    response = browser.get(address(draft, "consent_template"))
    assert response["Content-Type"].startswith("text/csv")
    assert response["Cache-Control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [(row["file"], row["length"]) for row in rows] == [
        ("evening.wav", "0:01:01.500"),
        ("morning.wav", "0:00:12.000"),
    ]
    assert "notice_text" in rows[0]


def test_the_template_of_a_version_without_files_shows_an_example(browser, draft):
    response = browser.get(address(draft, "consent_template"))
    assert response.content.decode("utf-8-sig") == imports.template()


def test_nothing_is_written_before_what_it_would_do_was_confirmed(browser, draft, recording):
    stages.agreed(draft, recording, name="Juma", start_ms=0, end_ms=4000)
    rows = table(line(start="0:02", end="0:06"), line(name="Peter", purposes="research;evaluation"))
    shown = show(browser, draft, rows)
    page = shown.content.decode()
    assert ConsentRecord.objects.count() == 1
    assert [(one["name"], one["is_new"]) for one in shown.context["people"]] == [
        ("Amina", True),
        ("Peter", True),
    ]
    (file,) = shown.context["files"]
    assert file["after"].covered == [(0, 12_000)]
    assert "8 s more than before" in page
    assert shown.context["bare"] == 0
    possible = {one["name"]: one["is_possible"] for one in shown.context["licenses"]}
    assert not any(possible.values())
    assert "In the way: Amina" in page
    confirm(browser, draft, shown)
    assert ConsentRecord.objects.count() == 3


def test_a_license_that_everybody_agreed_to_stays_possible(browser, draft, recording):
    stages.recording(draft, path="evening.wav")
    shown = show(browser, draft, table(line(purposes=";".join(sealed.OPEN))))
    assert all(one["is_possible"] for one in shown.context["licenses"])
    assert shown.context["bare"] == 1
    assert "1 file of this version has nobody" in shown.content.decode()


def test_a_table_of_consents_is_brought_in_with_its_evidence(browser, draft, recording):
    rows = table(line(evidence="amina.pdf"), line(name="Juma", start="0:01", end="0:02"))
    response = bring(browser, draft, rows, evidence=[SimpleUploadedFile("amina.pdf", b"signed")])
    assert response.status_code == 302
    assert ConsentRecord.objects.count() == 2
    record = ConsentRecord.objects.get(speaker__name="Amina")
    assert (record.evidence_name, record.notice_text) == ("amina.pdf", "We publish it.")
    handed = browser.get(address(draft, "evidence", record.pk))
    assert b"".join(handed.streaming_content) == b"signed"


def test_confirming_twice_records_once(browser, draft, recording):
    shown = show(browser, draft, table(line()))
    confirm(browser, draft, shown)
    again = confirm(browser, draft, shown)
    assert "Something changed since this was shown" in again.content.decode()
    assert "all that it says is recorded already" in again.content.decode()
    assert ConsentRecord.objects.count() == 1


def test_what_changed_since_it_was_shown_is_shown_again_before_it_is_done(
    browser, draft, recording
):
    rows = (line(), line(name="Juma", start="0:01", end="0:02"))
    shown = show(browser, draft, table(*rows))
    bring(browser, draft, table(rows[0]))
    again = confirm(browser, draft, shown)
    assert again.context["made"].counts["records"] == 1
    assert ConsentRecord.objects.count() == 1
    assert confirm(browser, draft, again).status_code == 302
    assert ConsentRecord.objects.count() == 2


def test_a_table_that_was_swept_is_asked_for_again(browser, draft, recording):
    shown = show(browser, draft, table(line()))
    Blob.objects.update(let_go_at=timezone.now() - timedelta(days=2))
    sweeping.sweep()
    refused = confirm(browser, draft, shown)
    assert refused.status_code == 410
    assert "Choose it again" in refused.content.decode()
    assert not ConsentRecord.objects.exists()


def test_nobody_confirms_what_was_shown_to_another_person_or_of_another_version(
    browser, draft, recording, station
):
    shown = show(browser, draft, table(line()))
    colleague = signing_in.browser_of(factories.member(station, "editor"))
    other = stages.draft(sealed.dataset(station))
    for who, where in ((colleague, draft), (browser, other)):
        assert confirm(who, where, shown).status_code == 410
    forged = {"waiting": shown.context["waiting"] + "x"}
    assert browser.post(address(draft, "import_consent"), forged).status_code == 410
    assert not ConsentRecord.objects.exists()


def test_the_same_table_twice_adds_nothing_and_says_how_much_was_known(browser, draft, recording):
    rows = (line(), line(name="Juma", start="0:01", end="0:02"))
    bring(browser, draft, table(*rows))
    again = show(browser, draft, table(*rows))
    assert "all that it says is recorded already" in again.content.decode()
    assert again.context["made"].counts["known"] == 2
    more = table(*rows, line(name="Peter"))
    page = browser.get(bring(browser, draft, more)["Location"]).content.decode()
    assert "Recorded 1 consent of 1 speaker, over 1 stretch. 2 consents are recorded" in page
    assert ConsentRecord.objects.count() == 3


def test_two_pieces_of_evidence_of_one_name_are_refused(browser, draft, recording):
    twins = [SimpleUploadedFile("amina.pdf", data) for data in (b"one", b"two")]
    response = show(browser, draft, table(line(evidence="amina.pdf")), evidence=twins)
    assert response.status_code == 422
    assert "Two files are called «amina.pdf»" in response.content.decode()


def test_everything_that_cannot_stand_is_named_at_once_and_nothing_is_kept(
    browser, draft, recording
):
    rows = table(
        line(),
        line(name="Juma", file="unknown.wav", given="tomorrow", minor="maybe"),
        line(name="Peter", start="0:10", end="0:30", evidence="peter.pdf"),
    )
    response = show(browser, draft, rows)
    page = response.content.decode()
    assert response.status_code == 422
    assert [(fault["row"], fault["field"]) for fault in response.context["faults"]] == [
        (3, "minor"),
        (3, "given_on"),
        (3, "file"),
        (4, "end"),
        (4, "evidence"),
    ]
    assert "2 of 3 rows" in page
    assert "We publish it." in page
    assert not ConsentRecord.objects.exists()


def test_a_table_that_is_not_ours_is_refused_whole(browser, draft):
    response = show(browser, draft, table(("a",), header=("name",)))
    assert response.status_code == 422
    assert "Start from the template" in response.content.decode()


def test_evidence_that_is_empty_is_refused(browser, draft, recording):
    empty = [SimpleUploadedFile("amina.pdf", b"")]
    response = show(browser, draft, table(line(evidence="amina.pdf")), evidence=empty)
    assert response.status_code == 422
    assert not ConsentRecord.objects.exists()
