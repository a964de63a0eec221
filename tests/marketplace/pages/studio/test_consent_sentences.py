"""What the consent pages answer can be told in another language, as can their pages."""

import pytest
from django.utils import translation

from ingestion import consent
from ingestion.consent import imports
from ingestion.models import Version
from marketplace.http import problems
from tests import factories, pseudo, sealed, trade
from tests.foreign import ABOUT, TITLE, faults, signed_in
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address
from tests.marketplace.pages.studio.test_consent import TYPED
from tests.marketplace.pages.studio.test_consent_import import line, table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_language")]

KNOWN = {"morning.wav", "Amina", "Juma", "We publish the show as training data.", "Eraro."}


@pytest.fixture
def version(station) -> Version:
    """Version 1, sealed, offered and licensed."""
    made = sealed.version(sealed.dataset(station, title=TITLE, description=ABOUT))
    trade.grant(trade.offer(made))
    return made


@pytest.fixture
def reader(contributor):
    return signed_in(contributor)


def record_of(version, name="Amina"):
    return version.dataset.consent_records.filter(speaker__name=name).first()


def known(version) -> set[str]:
    """What people wrote themselves."""
    names = version.dataset.recordings.values_list("name", flat=True)
    contacts = version.dataset.speakers.values_list("contact", flat=True)
    return KNOWN | set(names) | set(contacts)


def test_what_is_refused_is_told_in_the_readers_language(reader, version, contributor):
    record, other = record_of(version), record_of(version, "Juma")
    narrow = address(version, "withdraw_purposes", record.pk)
    withdraw = address(version, "withdraw_speaker", record.speaker.pk)
    answers = [
        reader.post(address(version, "void", record.pk), {"reason": "Eraro."}),
        reader.post(narrow),
        reader.post(narrow, {"purposes": ["commercial"]}, follow=True),
        reader.post(narrow, {"purposes": ["commercial"]}),
        reader.post(withdraw, follow=True),
        reader.post(withdraw),
        reader.post(narrow, {"purposes": ["research"]}),
    ]
    consent.erase(record=other, by=contributor)
    answers.append(reader.get(address(version, "speaker", other.speaker.pk)))
    assert faults(answers, known(version)) == {}


def test_writing_consents_down_is_told_in_the_readers_language(reader, station):
    draft = stages.draft(sealed.dataset(station, title=TITLE, description=ABOUT))
    stages.recording(draft)
    new, bring = address(draft, "new_consent"), address(draft, "import_consent")
    notice = {"notice_text": TYPED["notice_text"]}
    answers = [
        reader.get(address(draft, "consent")),
        reader.get(new),
        reader.post(new, TYPED | {"name": "", "purposes": [], "given_on": "x", "more": ""}),
        reader.post(new, TYPED | {"heard-0-start": "0:01", "given_on": "2999-01-01"}),
        reader.post(new, TYPED | {"everywhere": "on"}, follow=True),
        reader.post(new, TYPED | {"everywhere": "on"}, follow=True),
        reader.get(bring),
        reader.post(bring, {"csv": table(line(file="nenio.wav"))} | notice),
        reader.post(bring, {"csv": table(("a",), header=("name",))} | notice),
        shown := reader.post(bring, {"csv": table(line(), line(name="Juma"))} | notice),
        reader.post(bring, {"waiting": shown.context["waiting"]}, follow=True),
        reader.post(bring, {"waiting": shown.context["waiting"]}),
        reader.post(bring, {"waiting": "forged"}),
        reader.post(bring, {"csv": table(line(), line(name="Juma"))} | notice),
    ]
    typed = {TYPED[name] for name in ("name", "contact", "role", "notice_text")}
    columns = {*imports.COLUMNS, "name", "consent-template.csv", "nenio.wav"}
    own = {factories.owner_of(station).email}
    assert faults(answers, known(draft) | typed | columns | own) == {}


def test_the_faults_of_rows_are_told_in_the_readers_language_by_the_api_too(station):
    draft = stages.draft(sealed.dataset(station))
    sheet = table(line(file="nenio.wav", minor="x", given="y")).read()
    with pytest.raises(imports.ImportRefused) as refusal:
        imports.run(version=draft, table=sheet, notice_text="z", by=factories.owner_of(station))
    with translation.override(pseudo.LANGUAGE):
        rows = problems.describe(refusal.value)["rows"]
    assert [row["field"] for row in rows] == ["minor", "given_on", "file"]
    own = {"nenio.wav", "x", "y"}
    assert not any(pseudo.leaks(f"<p>{row['message']}</p>", own) for row in rows)
