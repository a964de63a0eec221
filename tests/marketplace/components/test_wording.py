from datetime import UTC, date, datetime

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from marketplace.templatetags import wording


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (0, "EUR", "Free"),
        (4000, "EUR", "€40"),
        (4050, "EUR", "€40.50"),
        (123456700, "USD", "$1,234,567"),
        (120000, "UGX", "UGX\N{NO-BREAK SPACE}120,000"),
        (120000, "KES", "KES\N{NO-BREAK SPACE}1,200"),
        (-500, "EUR", "\N{MINUS SIGN}€5"),
    ],
)
def test_an_amount_is_written_in_the_currency_s_own_units(amount, currency, said):
    assert wording.money(amount, currency) == said


@given(st.integers(min_value=1, max_value=10**12))
def test_an_amount_keeps_every_cent(amount):
    units, _, cents = wording.money(amount, "EUR").removeprefix("€").replace(",", "").partition(".")
    assert int(units) * 100 + int(cents or 0) == amount


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (None, "once, for good"),
        (1, "for a day"),
        (90, "for 90 days"),
        (365, "a year"),
        (730, "for 2 years"),
    ],
)
def test_a_term_is_said_in_words(days, said):
    assert wording.term(days) == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, "0 ms"),
        (380, "380 ms"),
        (4000, "4 s"),
        (60_000, "1 min"),
        (723_000, "12 min 3 s"),
        (12_000_000, "3 h 20 min"),
    ],
)
def test_a_length_carries_its_units(milliseconds, said):
    assert wording.duration(milliseconds) == said


def test_a_place_in_a_recording_is_a_timecode():
    assert wording.timecode(7_400) == "0:07"
    assert wording.timecode(7_400, fraction=True) == "0:07.4"
    assert wording.timecode(3_723_000) == "1:02:03"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (812, "812 bytes"),
        (1_500, "1.5 kB"),
        (2_000_000, "2 MB"),
        (999_999, "999 kB"),
        (20 * 1000**3, "20 GB"),
        (5 * 1000**5, "5,000 TB"),
    ],
)
def test_a_number_of_bytes_carries_its_unit(count, said):
    assert wording.size(count) == said


def test_times_are_read_as_utc_from_text_and_from_python():
    expected = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
    assert wording.moment("2026-03-03T14:00:00Z") == expected
    assert wording.moment("2026-03-03T16:00:00+02:00") == expected
    assert wording.moment("2026-03-03") == date(2026, 3, 3)
    assert wording.minute(expected) == "3 March 2026, 14:00 UTC"
    assert wording.minute(date(2026, 3, 3)) == "3 March 2026"


def test_a_language_is_named_and_runs_its_own_way():
    assert wording.language("sw") == "Swahili"
    assert wording.language("not a tag") == "not a tag"
    assert wording.direction("apd") == "rtl"
    assert wording.direction("nnb") == "ltr"


@given(st.text(max_size=30))
def test_no_text_breaks_the_naming_of_languages(tag):
    assert isinstance(wording.language(tag), str)
    assert wording.direction(tag) in {"ltr", "rtl", "auto"}


@pytest.mark.parametrize(
    ("bps", "tenths", "said"),
    [
        (500, False, "5 %"),
        (1250, False, "12.5 %"),
        (1, False, "0.01 %"),
        (10_000, False, "100 %"),
        (0, True, "0.0 %"),
        (1230, True, "12.3 %"),
    ],
)
def test_a_share_is_written_exactly(bps, tenths, said):
    assert wording.percent(bps, tenths=tenths) == said


@pytest.mark.parametrize(
    ("kind", "count", "said"),
    [
        ("phone", 1, "1 phone number"),
        ("email", 2, "2 email addresses"),
        ("ID_NUMBER", 3, "3 identity numbers"),
        ("car", 2, "2 of the kind «car»"),
    ],
)
def test_what_was_removed_is_counted_by_kind(kind, count, said):
    assert wording.redacted(kind, count) == said


def test_a_number_is_written_however_long_it_is():
    assert wording.number(10**40) == "10" + ",000" * 13


def test_numbers_and_shares_are_written_as_the_reader_writes_them():
    with translation.override("de"):
        assert wording.percent(1250) == "12,5\N{NO-BREAK SPACE}%"
        assert wording.number(12_345) == "12.345"
        assert wording.day(date(2026, 3, 3)) == "3. März 2026"
