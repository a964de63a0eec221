import pytest

from ingestion.pipeline.steps import detect
from tests.ingestion.steps import sounds


def detected(tmp_path, *segments, grade="reference", language="en"):
    """The detect step's output on these segments."""
    job = sounds.job(
        "detect",
        tmp_path / "a.wav",
        tmp_path / "detect",
        inputs={"text": {"segments": list(segments), "grade": grade}},
        language=language,
    )
    return detect.run(job).output


def timed(text, *, start_ms=0, pace=200):
    """A segment whose words take 200 ms each."""
    words = text.split()
    times = [(start_ms + n * pace, start_ms + (n + 1) * pace) for n in range(len(words))]
    return sounds.segment(text, times, start_ms=start_ms, end_ms=start_ms + len(words) * pace)


def test_a_finding_has_its_place_in_text_and_time(tmp_path):
    segment = timed("call me on oh seven seven two one five nine double four eight please")
    output = detected(tmp_path, segment)
    [finding] = output["findings"]
    said = segment["text"][finding["start_char"] : finding["end_char"]]
    assert said == "oh seven seven two one five nine double four eight"
    assert (finding["kind"], finding["segment"], finding["timed"]) == ("phone", 0, True)
    assert (finding["start_ms"], finding["end_ms"]) == (600, 2600)
    assert output["not_checked"] == []
    assert "name" in output["kinds_not_checked"]


def test_a_number_that_goes_on_after_a_pause_is_found_in_both_segments(tmp_path):
    first = timed("my number is oh seven seven two")
    second = timed("one five nine four four eight and thank you", start_ms=2500)
    output = detected(tmp_path, first, second)
    spans = [(one["segment"], one["kind"]) for one in output["findings"]]
    assert spans == [(0, "phone"), (1, "phone")]
    assert output["findings"][1]["end_char"] == len("one five nine four four eight")


def test_numbers_far_apart_are_not_one(tmp_path):
    first = timed("we counted oh seven seven two")
    second = timed("one five nine four four eight", start_ms=60_000)
    assert detected(tmp_path, first, second)["findings"] == []


def test_a_word_without_time_makes_the_finding_untimed(tmp_path):
    segment = sounds.segment(
        "ring 0772 159 448", [(0, 200), (200, 400), None, (700, 900)], start_ms=0, end_ms=1200
    )
    output = detected(tmp_path, segment)
    [finding] = output["findings"]
    assert (finding["timed"], finding["start_ms"], finding["end_ms"]) == (False, 0, 1200)
    assert [one["segment"] for one in output["not_checked"]] == [0]


@pytest.mark.parametrize(
    ("grade", "language", "reason"),
    [
        ("draft", "en", "draft"),
        ("reference", "lg", "unknown-speech"),
        ("draft", "lg", "draft unknown-speech"),
    ],
)
def test_what_rules_can_not_judge_goes_to_a_person(tmp_path, grade, language, reason):
    output = detected(tmp_path, timed("hello there"), grade=grade, language=language)
    assert output["not_checked"] == [{"segment": 0, "reason": reason}]


def test_a_documents_rows_are_not_read_together(tmp_path):
    rows = [
        {"text": text, "words": [], "start_ms": None, "end_ms": None, "speaker": None}
        for text in ("oh seven seven two", "one five nine four four eight")
    ]
    assert detected(tmp_path, *rows)["findings"] == []
