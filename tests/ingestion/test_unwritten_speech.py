"""Nothing of what the text leaves out, or could not be placed, is heard in a release.

Speech is planted whose place is known by construction: sentences that espeak-ng reads, joined with
pauses. The real steps place the text, and what the release's clips hold of the planted speech is
measured in samples: all of it has to lie outside the clips or under their bars.
"""

import io
import json
from dataclasses import dataclass

import numpy as np
import pytest
import soundfile

from ingestion import releases, review
from ingestion.archive.storage import blob_store
from ingestion.models import Finding, Redaction, Segment, Version
from tests import walks
from tests.ingestion.steps.voices import RATE, hush, spoken
from tests.walks import editor

pytestmark = pytest.mark.django_db

ENGLISH = (
    "Good evening, and welcome to the program about the harvest.",
    "Please call me at home on",
    "seven four one, two two nine, six zero eight",
    "before ten tonight, thank you.",
    "Rain is expected in the hills on Thursday morning.",
)
FRENCH = (
    "Bonsoir et bienvenue dans notre émission du soir.",
    "Appelez-moi au zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit.",
    "J'habite au douze rue de la République à Thiès.",
    "La pluie est attendue jeudi dans les collines.",
    "Merci à tous et bonne nuit.",
)


@dataclass(frozen=True)
class Tape:
    """A recording, and where each of its sentences is said, in ms."""

    sound: np.ndarray
    bounds: list[tuple[int, int]]

    @property
    def wav(self) -> bytes:
        out = io.BytesIO()
        soundfile.write(out, self.sound, RATE, format="WAV")
        return out.getvalue()


def joined(*sentences: tuple[str, float], voice: str) -> Tape:
    """Sentences with the seconds of pause after each; what is said is cut to what is loud."""
    parts, bounds, position = [hush(0.5)], [], RATE // 2
    for text, pause in sentences:
        said = spoken(text, voice=voice)
        loud = np.flatnonzero(np.abs(said) > 200)
        said = said[loud[0] : loud[-1] + 1]
        bounds.append((position * 1000 // RATE, (position + len(said)) * 1000 // RATE))
        parts += [said, hush(pause)]
        position += len(said) + int(pause * RATE)
    return Tape(np.concatenate(parts), bounds)


def processed(tape: Tape, lines: list[str], *, language: str) -> Version:
    version = walks.draft(language=language)
    walks.upload(version, "talk.wav", tape.wav)
    walks.upload(version, "talk.txt", "\n".join(lines).encode())
    walks.agree(version, "talk.wav")
    walks.process(version)
    assert version.state == Version.State.REVIEW
    return version


def sealed(version: Version) -> list[dict]:
    """Seal with the least that a hasty person does: everything read, nothing written down."""
    by = editor(version)
    for segment in Segment.objects.of(version):
        if segment.is_unplaced:
            review.review_segment(segment=segment, excluded=True, by=by)
    walks.hear_everything(version)
    walks.finish(version)
    releases.seal(version=version)
    return [json.loads(line) for line in published(version, "metadata.jsonl").splitlines()]


def published(version: Version, path: str) -> bytes:
    with blob_store().open(version.release_files.get(path=path).blob_id) as blob:
        return blob.read()


def audible_ms(version: Version, rows: list[dict], tape: Tape, planted: tuple[int, int]) -> int:
    """How many ms of the planted speech the published clips hold, sample by sample."""
    heard = np.zeros(len(tape.sound), bool)
    for row in rows:
        clip = walks.samples(published(version, row["file_name"]))
        start = row["start_ms"] * RATE // 1000
        same = clip == tape.sound[start : start + len(clip)]
        # A tone crosses the programme now and then: only runs of equal samples are sound.
        runs = np.convolve(same, np.ones(8), "same") >= 8
        heard[start : start + len(clip)] |= runs
    first, last = (at * RATE // 1000 for at in planted)
    return int(heard[first:last].sum()) * 1000 // RATE


def assert_kept(rows: list[dict], *sentences: str) -> None:
    """The rest is there, so that nothing was won by leaving everything out."""
    texts = " ".join(row["text"] for row in rows)
    for sentence in sentences:
        assert sentence in texts


def test_a_number_cut_out_of_its_sentence_is_not_heard():
    tape = joined(*zip(ENGLISH, (0.4, 0.08, 0.08, 0.4, 0.4), strict=True), voice="en-us")
    lines = [ENGLISH[0], f"{ENGLISH[1]} {ENGLISH[3]}", ENGLISH[4]]
    version = processed(tape, lines, language="en")
    (stretch,) = Segment.objects.of(version).filter(unwritten=True)
    assert stretch.start_ms <= tape.bounds[2][0] < tape.bounds[2][1] <= stretch.end_ms
    rows = sealed(version)
    assert audible_ms(version, rows, tape, tape.bounds[2]) == 0
    assert_kept(rows, *lines)
    assert audible_ms(version, rows, tape, tape.bounds[0]) > 3000
    (bar,) = Redaction.objects.all()
    assert (bar.kind, bar.replacement) == ("unwritten", "")
    assert [[one["start_ms"], one["end_ms"]] for row in rows for one in row["redactions"]] == [
        [bar.start_ms, bar.end_ms]
    ]


def test_a_name_cut_out_of_its_sentence_is_not_heard():
    parts = ("The letter was written by", "Kamau", "before he went to the market.")
    tape = joined((ENGLISH[0], 0.4), *zip(parts, (0.05, 0.05, 0.4), strict=True), voice="en-us")
    lines = [ENGLISH[0], f"{parts[0]} {parts[2]}"]
    version = processed(tape, lines, language="en")
    assert Segment.objects.of(version).filter(unwritten=True).count() == 1
    rows = sealed(version)
    assert audible_ms(version, rows, tape, tape.bounds[2]) == 0
    assert_kept(rows, *lines)


def test_a_sentence_that_the_transcript_leaves_out_is_not_heard():
    planted = "My brother Daniel lives behind the yellow church in the old town."
    tape = joined((ENGLISH[0], 0.3), (planted, 0.3), (ENGLISH[4], 0.4), voice="en-us")
    version = processed(tape, [ENGLISH[0], ENGLISH[4]], language="en")
    rows = sealed(version)
    assert audible_ms(version, rows, tape, tape.bounds[1]) == 0
    assert_kept(rows, ENGLISH[0], ENGLISH[4])


def test_two_french_rows_that_could_not_be_placed_are_not_heard():
    tape = joined(*((one, 0.35) for one in FRENCH), voice="fr")
    others = [
        "on parle de la pêche et du riz dans la vallée",
        "les enfants chantent une vieille chanson du village",
    ]
    version = processed(tape, [FRENCH[0], *others, *FRENCH[3:]], language="fr")
    rows = sealed(version)
    assert audible_ms(version, rows, tape, (tape.bounds[1][0], tape.bounds[2][1])) == 0
    assert_kept(rows, FRENCH[0], FRENCH[4])


def test_a_number_in_a_french_row_without_times_is_not_heard():
    tape = joined(*((one, 0.35) for one in FRENCH[:1] + FRENCH[1:2] + FRENCH[3:]), voice="fr")
    lines = [FRENCH[0], FRENCH[1], *FRENCH[3:]]
    version = processed(tape, lines, language="fr")
    lost = Segment.objects.of(version).get(text=FRENCH[1])
    for word in lost.words:
        word |= {"start_ms": None, "end_ms": None, "timed": False}
    lost.save(update_fields=["words"])
    Finding.objects.filter(segment=lost).update(start_ms=None, end_ms=None)
    assert Finding.objects.filter(segment=lost).exists()
    rows = sealed(version)
    assert audible_ms(version, rows, tape, tape.bounds[1]) == 0
    assert_kept(rows, FRENCH[0], FRENCH[4])
