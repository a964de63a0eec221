"""Consent over HTTP: a whole table or nothing, and every fault of every row by its name."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from ingestion import consent
from ingestion.archive.storage import blob_store
from ingestion.consent import tables
from ingestion.models import Blob, ConsentRecord, ConsentScope, Recording, Speaker
from tests import factories, sealed
from tests.marketplace.api.callers import buy, client_of, draft_of, problem, publish, source, wav

pytestmark = pytest.mark.django_db
HEADER = (
    "speaker_name,speaker_contact,role,jurisdiction,notice_language,notice_version,notice_text,"
    "given_on,expires_on,purposes,excluded_purposes,file,length,start,end,evidence,minor"
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
    source(draft_of(made), "show.wav", wav(5000))
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
    counts = {"speakers": 2, "records": 2, "scopes": 3, "known": 0, "voided": 0}
    assert answer.json() == counts
    found = {one["speaker"]["name"]: one for one in editor.get(URL).json()["results"]}
    show = {"file": "show.wav", "recording": Recording.objects.get().pk}
    assert found["Amina"]["scopes"] == [
        show | {"start_ms": 0, "end_ms": 2500},
        show | {"start_ms": 3000, "end_ms": 4000},
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
        ({"start": "soon", "end": "0:00:01"}, "start", "soon"),
        ({"expires_on": "2026-04-01"}, "expires_on", "1 April 2026"),
        ({"given_on": "2999-01-01"}, "given_on", "1 January 2999"),
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
    assert [row["code"] for row in answer.json()["rows"]] == ["consent-row-invalid"] * 2


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
        (f"{HEADER},a,b\n1,2", "unknown columns a, b"),
        (HEADER.encode() + b"\nZo\xe9", "UTF-8"),
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


def test_evidence_of_a_refused_table_proves_nothing(dataset, editor):
    bad = ROW | {"speaker_name": "Juma", "file": "other.wav"}
    answer = send(editor, table(ROW | {"evidence": "a.pdf"}, bad), a_pdf=b"signed by Amina")
    assert faults(answer) == [(3, "file")]
    assert not Speaker.objects.exists()
    assert not ConsentRecord.objects.exists()


def test_evidence_that_is_empty_is_refused(dataset, editor):
    answer = send(editor, table(ROW | {"evidence": "a.pdf"}), a_pdf=b"")
    problem(answer, 422, "evidence-invalid", "a.pdf", "empty")
    assert nothing_was_stored()


def test_a_table_of_more_bytes_than_can_be_read_is_refused(dataset, editor):
    answer = send(editor, table(ROW) + "\n" * tables.MAX_SIZE)
    problem(answer, 422, "consent-import-refused", "10,000,000")
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
    consent.withdraw(record=ConsentRecord.objects.get(), by=factories.user())
    assert editor.get(URL).json()["results"][0]["withdrawn_at"].endswith("Z")


def test_the_same_table_twice_changes_nothing(dataset, editor):
    text = table(ROW, ROW | {"speaker_name": "Juma"})
    send(editor, text)
    before = editor.get(URL).json()
    again = send(editor, text)
    assert again.status_code == 201
    assert again.json() == {"speakers": 0, "records": 0, "scopes": 0, "known": 2, "voided": 0}
    assert editor.get(URL).json() == before


def test_a_record_that_was_struck_out_stays_so_when_its_table_comes_again(dataset, editor):
    text = table(ROW, ROW | {"speaker_name": "Juma"})
    send(editor, text)
    record = ConsentRecord.objects.get(speaker__name="Juma")
    editor.post(f"{URL}/{record.pk}/void", {"reason": "Another Juma."})
    assert send(editor, text).json()["voided"] == 1
    assert ConsentRecord.objects.count() == 2


# ---- ending a consent ------------------------------------------------------------------------


@pytest.fixture
def record(dataset, editor):
    send(editor, table(ROW))
    return editor.get(URL).json()["results"][0]


def test_a_record_is_read_by_its_number(record, editor):
    assert editor.get(f"{URL}/{record['id']}").json() == record
    problem(editor.get(f"{URL}/{uuid4()}"), 404, "not-found")


def test_a_consent_is_withdrawn_once(record, editor):
    ended = editor.post(f"{URL}/{record['id']}/withdraw").json()
    assert ended["withdrawn_at"].endswith("Z")
    assert ended["purposes"] == record["purposes"]
    problem(editor.post(f"{URL}/{record['id']}/withdraw"), 409, "consent-ended", "p-0001")


def test_single_purposes_are_taken_back_and_the_last_one_ends_the_consent(record, editor):
    url = f"{URL}/{record['id']}/withdraw"
    narrowed = editor.post(url, {"purposes": ["research"]}).json()
    assert (narrowed["withdrawn_purposes"], narrowed["withdrawn_at"]) == (["research"], None)
    again = editor.post(url, {"purposes": ["research"]})
    problem(again, 422, "purpose-not-given", "speech-recognition")
    ended = editor.post(url, {"purposes": ["speech-recognition"]}).json()
    assert ended["withdrawn_at"] is not None


@pytest.mark.parametrize("purposes", [[], ["world-peace"], ["commercial"]])
def test_a_purpose_that_was_not_given_is_not_taken_back(record, editor, purposes):
    answer = editor.post(f"{URL}/{record['id']}/withdraw", {"purposes": purposes})
    problem(answer, 422, "purpose-not-given", "research")
    assert editor.get(f"{URL}/{record['id']}").json() == record


def test_a_record_entered_by_mistake_is_struck_out_for_a_reason(record, editor):
    url = f"{URL}/{record['id']}/void"
    problem(editor.post(url, {"reason": ""}), 422, "reason-missing", "mistake")
    problem(editor.post(url, {}), 422, "invalid-request", "reason")
    voided = editor.post(url, {"reason": "It is another Amina."}).json()
    assert voided["voided_at"].endswith("Z")
    assert (voided["void_reason"], voided["withdrawn_at"]) == ("It is another Amina.", None)
    problem(editor.post(url, {"reason": "Again."}), 409, "consent-ended", "mistake")


def test_a_record_that_a_license_rests_on_is_not_struck_out(station, editor):
    version = sealed.version(sealed.dataset(station, slug="show"))
    buy(publish(version, factories.owner_of(station)), factories.organization("Speech Lab"))
    record = ConsentRecord.objects.first()
    answer = editor.post(f"{URL}/{record.pk}/void", {"reason": "A typing error."})
    problem(answer, 409, "consent-relied-on", "Version 1", "Withdraw")


def test_a_speaker_withdraws_from_every_record_at_once(station, editor):
    dataset = sealed.dataset(station, slug="show")
    publish(sealed.version(dataset), dataset.created_by)
    sealed.version(dataset)
    url = f"{URL.removesuffix('consent')}speakers/p-0001/withdraw"
    ended = editor.post(url).json()
    mine = ConsentRecord.objects.filter(speaker__pseudonym="p-0001")
    assert ended == {"speaker": "p-0001", "withdrawn": sorted(str(one.pk) for one in mine)}
    assert len(ended["withdrawn"]) == 2
    states = editor.get(URL.removesuffix("/consent")).json()["versions"]
    assert [one["consent_state"] for one in states] == ["withdrawn", "withdrawn"]
    problem(editor.post(url), 409, "consent-ended", "p-0001")
    problem(editor.post(url.replace("p-0001", "p-0009")), 404, "not-found")


def test_a_speaker_takes_a_purpose_back_in_every_record_at_once(station, editor):
    dataset = sealed.dataset(station, slug="show")
    sealed.version(dataset)
    sealed.version(dataset)
    url = f"{URL.removesuffix('consent')}speakers/p-0001/withdraw"
    answer = editor.post(url, {"purposes": ["research"]}).json()
    mine = ConsentRecord.objects.filter(speaker__pseudonym="p-0001")
    assert answer["withdrawn"] == sorted(str(one.pk) for one in mine)
    assert {tuple(one.withdrawn_purposes) for one in mine} == {("research",)}
    assert not mine.filter(withdrawn_at__isnull=False).exists()
    problem(editor.post(url, {"purposes": ["surveillance"]}), 422, "purpose-not-given", "p-0001")


def test_whoever_ends_a_consent_asks_for_the_news_to_be_followed(dataset, editor, told_workers):
    send(editor, table(ROW, *(ROW | {"speaker_name": name} for name in ("Juma", "Zuri"))))
    records = {one["speaker"]["name"]: one["id"] for one in editor.get(URL).json()["results"]}
    acts = [
        (f"{URL}/{records['Amina']}/withdraw", {"purposes": ["research"]}),
        (f"{URL}/{records['Amina']}/withdraw", {}),
        (f"{URL}/{records['Juma']}/void", {"reason": "A mistake."}),
        (f"{URL.removesuffix('consent')}speakers/p-0003/withdraw", {}),
    ]
    for url, body in acts:
        with told_workers() as told:
            assert editor.post(url, body).status_code == 200
        assert told == [("follow_news_task", ())]


def test_records_of_another_dataset_are_not_there(station, record, editor):
    sealed.dataset(station, slug="other")
    url = f"/api/v1/datasets/radio-valley/other/consent/{record['id']}"
    problem(editor.get(url), 404, "not-found")
    problem(editor.post(f"{url}/withdraw"), 404, "not-found")
    assert editor.get(f"{URL}/{record['id']}").json()["withdrawn_at"] is None
