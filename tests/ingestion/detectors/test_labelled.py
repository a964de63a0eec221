"""What share of the labelled set is found whole, in the half that rules are made from and not."""

import pytest

from benchmarks import detectors
from ingestion.pipeline.detectors import registry
from ingestion.pipeline.detectors.lexicon import LANGUAGES

FLOORS = {
    ("open", "spoken"): 0.99,
    ("open", "written"): 0.97,
    ("held", "spoken"): 0.9,
    ("held", "written"): 0.97,
}
SPOKEN_PHONE = 0.85
NEGATIVES = 0.03


@pytest.mark.parametrize(("half", "form"), FLOORS)
def test_personal_data_of_the_labelled_set_is_found_whole(half, form):
    found, there = detectors.recall(detectors.rows(half))[half, form, "all", "all"]
    assert found / there >= FLOORS[half, form]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_telephone_numbers_said_aloud_are_found_whole_in_each_language(language):
    rows = [row for row in detectors.rows() if row["language"] == language]
    table = detectors.recall(rows)
    cells = [table[half, "spoken", "phone", language] for half in ("open", "held")]
    assert sum(found for found, _ in cells) >= SPOKEN_PHONE * sum(there for _, there in cells)


def test_hard_negatives_of_the_labelled_set_are_left_alone():
    hit, there = detectors.negatives_hit(detectors.rows())
    assert there >= 15 * len(LANGUAGES)
    assert hit / there <= NEGATIVES


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_language_with_a_file_is_looked_through_aloud_and_has_its_labelled_set(language):
    assert registry.knows_speech(language)
    assert {"phone", "email", "card", "id-number", "address"} <= {*registry.kinds_spoken(language)}
    rows = [row for row in detectors.rows() if row["language"] == language]
    assert len(rows) >= 60
    assert {row["form"] for row in rows} == {"spoken", "written"}
    for row in rows:
        assert all(0 <= one["start"] < one["end"] <= len(row["text"]) for one in row["spans"])
        assert {one["kind"] for one in row["spans"]} <= {*registry.PRECEDENCE}
