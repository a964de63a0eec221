"""Consent over HTTP: a whole table or nothing, and every fault of every row by its name."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from ingestion import consent, datasets
from ingestion.models import Blob, ConsentRecord, ConsentScope, Speaker
from ingestion.storage import blob_store
from tests import factories, sealed
from tests.marketplace.api.callers import client_of, problem, source, wav

pytestmark = pytest.mark.django_db
HEADER = (
    "speaker_name,speaker_contact,role,jurisdiction,notice_language,notice_version,given_on,"
    "expires_on,purposes,excluded_purposes,file,start,end,evidence,minor"
)
ROW = {
    "speaker_name": "Amina",
    "jurisdiction": "KE",
    "notice_language": "sw",
    "given_on": "2026-03-03",
    "purposes": "speech-recognition;research",
    "file": "show.wav",
}
URL = "/api/v1/datasets/radio-valley/show/consent"


@pytest.fixture(autouse=True)
def empty_store(settings, tmp_path):
    settings.BLOB_DIR = tmp_path / "blobs"


@pytest.fixture
def station():
    return factories.organization("Radio Valley")


@pytest.fixture
def dataset(station):
    made = sealed.dataset(station, slug="show")
    source(datasets.open_draft(dataset=made, by=made.created_by), "show.wav", wav(5000))
    return made


@pytest.fixture
def editor(station):
    return client_of(station)


def table(*rows: dict[str, str]) -> str:
    """A filled-in template."""
    lines = [",".join(row.get(name, "") for name in HEADER.split(",")) for row in rows]
    return "\n".join([HEADER, *lines])


def send(by, text: str | bytes, *, notice: str = "We publish your words.", **evidence: bytes):
    """Import a table with evidence files by name."""
    data = text.encode() if isinstance(text, str) else text
    body = {"csv": SimpleUploadedFile("consent.csv", data), "notice": notice}
    if evidence:
        body["evidence"] = [
            SimpleUploadedFile(name.replace("_", "."), data) for name, data in evidence.items()
        ]
    return by.post(f"{URL}/import", body, format="multipart")


def nothing_was_stored() -> bool:
    """No speaker, no consent, and no bytes but the recording's."""
    stored = [path for path in blob_store().root.rglob("*") if path.is_file()]
    return (
        not Speaker.objects.exists()
        and not ConsentRecord.objects.exists()
        and Blob.objects.count() == len(stored) == 1
    )


def faults(response) -> list[tuple[int, str]]:
    """Which rows were refused for which field."""
    found = problem(response, 422, "consent-import-refused")
    return [(row["row"], row["field"]) for row in found["rows"]]


def test_a_table_brings_in_speakers_records_and_stretches(dataset, editor):
    rows = [
        ROW | {"start": "0:00:00", "end": "0:00:02.500"},
        ROW | {"start": "0:00:03", "end": "0:00:04"},
        ROW | {"speaker_name": "Juma", "evidence": "juma.pdf", "expires_on": "2036-01-01"},
    ]
    answer = send(editor, table(*rows), juma_pdf=b"signed")
    assert answer.status_code == 201
    assert answer.json() == {"speakers": 2, "records": 2, "scopes": 3}
    found = {one["speaker"]["name"]: one for one in editor.get(URL).json()["results"]}
    assert found["Amina"]["scopes"] == [
        {"file": "show.wav", "start_ms": 0, "end_ms": 2500},
        {"file": "show.wav", "start_ms": 3000, "end_ms": 4000},
    ]
    assert found["Juma"]["evidence"] == "juma.pdf"
    assert found["Juma"]["expires_on"] == "2036-01-01"
    assert found["Amina"]["purposes"] == ["research", "speech-recognition"]
    record = ConsentRecord.objects.get(speaker__name="Juma")
    with blob_store().open(record.evidence_id) as kept:
        assert kept.read() == b"signed"


def test_the_template_can_be_filled_in(dataset, editor):
    answer = editor.get("/api/v1/consent-template.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.decode().splitlines()[0] == HEADER
    assert "attachment" in answer["Content-Disposition"]


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        ({"file": "other.wav"}, "file", "other.wav"),
        ({"start": "0:00:01", "end": "0:00:09"}, "end", "0:00:05.000"),
        ({"start": "0:00:02", "end": "0:00:01"}, "start", "before it ends"),
        ({"start": "0:00:02"}, "end", "both"),
        ({"start": "soon", "end": "0:00:01"}, "start", "soon"),
        ({"expires_on": "2026-04-01"}, "expires_on", "2026-04-01"),
        ({"given_on": "2999-01-01"}, "given_on", "2999-01-01"),
        ({"given_on": "3.3.2026"}, "given_on", "3.3.2026"),
        ({"purposes": "world-peace"}, "purposes", "world-peace"),
        ({"purposes": ""}, "purposes", "needed"),
        ({"excluded_purposes": "research"}, "excluded_purposes", "research"),
        ({"speaker_name": ""}, "speaker_name", "needed"),
        ({"evidence": "signed.pdf"}, "evidence", "signed.pdf"),
        ({"minor": "perhaps"}, "minor", "perhaps"),
        ({"speaker_name": "A" * 161}, "speaker_name", "160"),
        ({"start": f"{'9' * 5000}:00:00", "end": "0:00:01"}, "start", "not a time"),
    ],
)
def test_a_row_that_cannot_stand_is_named_and_nothing_is_imported(
    dataset, editor, change, field, word
):
    answer = send(editor, table(ROW | {"speaker_name": "Juma"}, ROW | change))
    assert faults(answer) == [(3, field)]
    assert word in answer.json()["rows"][0]["message"]
    assert nothing_was_stored()


def test_every_fault_of_a_table_is_told_at_once(dataset, editor):
    answer = send(
        editor, table(ROW | {"file": "a.wav"}, ROW, ROW | {"speaker_name": "B", "given_on": "x"})
    )
    assert faults(answer) == [(2, "file"), (4, "given_on")]


def test_a_consent_that_expired_counts_for_nothing(dataset, editor):
    yesterday = timezone.localdate() - timedelta(days=1)
    answer = send(editor, table(ROW | {"expires_on": yesterday.isoformat()}))
    assert faults(answer) == [(2, "expires_on")]
    assert "expired" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "lacks"),
        (HEADER, "0 rows"),
        ("a,b\n1,2", "unknown columns a, b"),
        (b"\xff\xfe\x00x", "UTF-8"),
        (f"{HEADER}\nAmina\0", "NUL"),
        (f"{HEADER}\n{'A' * 200_000}", "field larger"),
    ],
)
def test_a_table_that_is_not_ours_is_refused(dataset, editor, text, word):
    problem(send(editor, text), 422, "consent-import-refused", word)
    assert nothing_was_stored()


def test_a_consent_without_the_notice_is_refused(dataset, editor):
    answer = send(editor, table(ROW), notice="")
    assert faults(answer) == [(2, "notice_text")]


def test_evidence_of_a_refused_table_is_forgotten(dataset, editor):
    bad = ROW | {"speaker_name": "Juma", "file": "other.wav"}
    answer = send(editor, table(ROW | {"evidence": "a.pdf"}, bad), a_pdf=b"signed by Amina")
    assert faults(answer) == [(3, "file")]
    assert nothing_was_stored()


def test_evidence_that_is_empty_is_refused(dataset, editor):
    answer = send(editor, table(ROW | {"evidence": "a.pdf"}), a_pdf=b"")
    problem(answer, 422, "evidence-invalid", "a.pdf", "empty")
    assert nothing_was_stored()


def test_a_table_must_be_sent_as_a_file(dataset, editor):
    problem(editor.post(f"{URL}/import", {}, format="multipart"), 422, "invalid-request", "csv")
    problem(editor.post(f"{URL}/import", {"csv": "x"}), 415, "unsupported-media-type")


def test_a_dataset_without_files_has_nothing_to_consent_to(station, editor):
    sealed.dataset(station, slug="show")
    assert faults(send(editor, table(ROW))) == [(2, "file")]


def test_consents_are_read_in_few_queries(dataset, editor, django_assert_max_num_queries):
    rows = [ROW | {"speaker_name": f"Speaker {number}"} for number in range(12)]
    assert send(editor, table(*rows)).status_code == 201
    assert ConsentScope.objects.count() == 12
    editor.get(URL)
    with django_assert_max_num_queries(6):
        assert editor.get(URL).json()["count"] == 12


def test_a_withdrawal_shows_in_the_records(dataset, editor):
    send(editor, table(ROW))
    consent.withdraw(record=ConsentRecord.objects.get(), by="Amina")
    assert editor.get(URL).json()["results"][0]["withdrawn_at"].endswith("Z")
