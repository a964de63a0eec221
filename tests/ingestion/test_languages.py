"""Languages by tag or by name, countries by code; what is neither is refused."""

from datetime import date

import pytest

from ingestion import consent
from ingestion.archive import languages
from tests import factories, sealed


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("sw", "sw"),
        ("SWAHILI", "sw"),
        ("Kiswahili", "sw"),
        ("swh", "swh"),
        ("es-419", "es-419"),
        (" Deutsch ", "de"),
    ],
)
def test_a_language_is_known_by_its_tag_or_its_name(typed, tag):
    assert languages.tag_of(typed) == tag


@pytest.mark.parametrize("typed", ["", "English or Spanish", "Klingonish", "mul", "und", "e" * 300])
def test_what_is_no_language_is_refused_in_a_sentence(typed):
    with pytest.raises(languages.UnknownLanguage) as refusal:
        languages.tag_of(typed)
    assert "Choose one from the list" in refusal.value.message


def test_every_tag_to_choose_from_is_one():
    assert all(languages.tag_of(tag) == tag for tag in languages.tags())


def test_a_countrys_code_is_known_in_any_case():
    assert languages.country_of(" ke ") == "KE"
    assert languages.country_of("eu") == "EU"
    assert languages.country_of("us-nm") == "US-NM"
    for typed in ("Kenya", "", "XX", "UK ", "US-", "US-NEWMEXICO", "XX-NM"):
        with pytest.raises(languages.UnknownCountry):
            languages.country_of(typed)


@pytest.mark.django_db
def test_the_notices_language_is_a_language_or_said_to_be_unknown():
    draft = sealed.dataset().versions.get()
    amina = sealed.speaker(draft.dataset, "Amina")
    recording = sealed.source(draft)

    def notice_in(language: str) -> str:
        record = consent.record(
            speaker=amina,
            notice=consent.Notice(f"We publish the show ({language}).", language),
            terms=consent.Terms(("research",), date(2026, 3, 3), "KE"),
            stretches=[consent.Stretch(recording, None, None)],
            by=factories.owner_of(draft.dataset.organization),
        )
        return record.notice_language

    assert notice_in("Kiswahili") == "sw"
    assert notice_in("und") == "und"
    with pytest.raises(languages.UnknownLanguage) as refusal:
        notice_in("Klingonish")
    assert refusal.value.as_problem()["field"] == "notice_language"
