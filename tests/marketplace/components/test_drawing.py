import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.templatetags import drawing

RANGE = st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)).map(sorted)


def test_stations_that_nobody_mentions_wait():
    laid = drawing.thread({"source": "done", "consent": {"state": "active", "label": "3 of 7"}})
    assert [station["state"] for station in laid] == ["done", "active"] + ["waiting"] * 6
    assert laid[1]["word"] == "3 of 7"
    assert laid[0]["to"] == "active"


def test_the_line_does_not_go_on_after_a_refusal():
    laid = drawing.thread(
        [{"station": "consent", "state": "refused"}, {"station": "text", "state": "done"}]
    )
    assert laid[0]["to"] == "refused"
    assert laid[1]["to"] == "waiting"


def test_one_state_can_stand_for_all_stations():
    assert {station["state"] for station in drawing.thread("done")} == {"done"}


@pytest.mark.parametrize("stations", [{"sauce": "done"}, {"source": "finished"}])
def test_an_unknown_station_or_state_is_refused(stations):
    with pytest.raises(KeyError):
        drawing.thread(stations)


@given(st.lists(RANGE), st.integers(1, 10**7), st.integers(1, 2000))
def test_every_bar_is_seen_and_stands_inside_the_drawing(ranges, duration_ms, width):
    for box in drawing.boxes(ranges, duration_ms=duration_ms, width=width):
        assert box["width"] >= 1
        assert 0 <= box["x"] <= width
        assert box["x"] + box["width"] <= width


@given(st.lists(RANGE, max_size=8))
def test_overlapping_ranges_count_once(ranges):
    assert drawing.total(ranges) == drawing.total(ranges + ranges)
    assert drawing.total(ranges) <= sum(end - start for start, end in ranges)


def test_a_recording_without_length_draws_no_bars():
    assert drawing.boxes([[0, 5]], duration_ms=0, width=100) == []


def test_a_wave_has_one_stroke_for_each_peak():
    assert drawing.wave([0, 50, 100]).count("M") == 3
