"""A recording of which a test says who is heard where, and who agreed to what of it."""

from datetime import date

from ingestion import consent, review
from ingestion.archive import recordings
from ingestion.models import Recording, Segment, Speaker, Version
from ingestion.pipeline.transcripts import words_of
from tests import sealed
from tests.walks import editor

WORDS = "one two three four five six seven eight nine ten"


class Tape:
    """A recording whose stretches, voices and consents a test says one by one."""

    def __init__(self, version: Version, *, duration_ms: int = 60_000) -> None:
        """Without a length it is a text, whose rows have no times."""
        self.version = version
        self.recording = sealed.source(version, duration_ms=duration_ms)
        recordings.number(version=version)
        self.recording.refresh_from_db()
        if not duration_ms:
            self.recording.kind = Recording.Kind.DOCUMENT
            self.recording.save(update_fields=["kind"])
        self.run = sealed.write_intake(self.recording)
        self.count = 0

    def person(self, name: str) -> Speaker:
        return sealed.speaker(self.version.dataset, name)

    def said(self, name: str, start: int | None, end: int | None, text: str = WORDS) -> Segment:
        """A stretch of speech; without a name nobody knows who speaks."""
        if start is None or end is None:
            timed = [word.as_json() for word in words_of(text)]
        else:
            timed = list(sealed.timed_words(text, start, end - start))
        self.count += 1
        return Segment.objects.create(
            recording=self.recording,
            run=self.run,
            position=self.count - 1,
            start_ms=start,
            end_ms=end,
            speaker=self.person(name) if name else None,
            label=name,
            text=text,
            words=timed,
        )

    def unwritten(self, start: int, end: int) -> Segment:
        """A stretch in which somebody speaks and the text has no words."""
        self.count += 1
        return Segment.objects.create(
            recording=self.recording,
            run=self.run,
            position=self.count - 1,
            start_ms=start,
            end_ms=end,
            needs_review=True,
            unwritten=True,
        )

    def agrees(self, name: str, *stretch: int, on: date = date(2026, 3, 3)) -> None:
        """Somebody's consent, for a stretch or for all of it."""
        consent.record(
            speaker=self.person(name),
            notice=consent.Notice("We publish this.", "en"),
            terms=consent.Terms(("research",), on, "KE"),
            stretches=[consent.Stretch(self.recording, *stretch)],
            by=editor(self.version),
        )

    def without(self, *names: str) -> None:
        for name in names:
            review.leave_out_speaker(
                version=self.version, speaker=self.person(name), by=editor(self.version)
            )
