"""How much personal data the rules find in the labelled set, and how fast they read.

    .venv/bin/python -m benchmarks.detectors [open|held] [--missed]

The set was made by hand (tests/ingestion/detectors/labelled): half of it is open to whoever mends
the rules, the other is held back. A span is found when each of its letters and figures lies under
a hit of some kind; a negative is hit when anything is found in it. `--missed` shows those.
The speed is in processor time, on one core, for the set's texts in a row and for prose without
personal data.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ingestion.pipeline.detectors import registry

LABELLED = Path(__file__).resolve().parent.parent / "tests/ingestion/detectors/labelled"
Row = dict[str, Any]
Key = tuple[str, ...]
PROSE = "The old fishermen say that the lake takes what it is owed and gives the rest back. "
LENGTH = 60_000


def rows(half: str | None = None) -> list[Row]:
    """Return the labelled utterances: text, language, spans, form, half."""
    found = [
        json.loads(line)
        for path in sorted(LABELLED.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [row for row in found if half in {None, row["half"]}]


def covered(row: Row) -> set[int]:
    """Return the characters of an utterance that lie under a hit."""
    hits = registry.find_all(row["text"], language=row["language"])
    return {place for hit in hits for place in range(hit.start, hit.end)}


def judged(row: Row) -> Iterator[tuple[Row, bool]]:
    """Yield each span of an utterance and whether the whole of it is found."""
    found = covered(row)
    for span in row["spans"]:
        places = range(span["start"], span["end"])
        yield span, all(place in found for place in places if row["text"][place].isalnum())


def recall(utterances: Iterable[Row]) -> dict[Key, tuple[int, int]]:
    """Return spans found and spans there are, by half, form and kind, and by half and language."""
    there: Counter[Key] = Counter()
    found: Counter[Key] = Counter()
    for row in utterances:
        for span, whole in judged(row):
            for key in (
                (row["half"], row["form"], span["kind"], "all"),
                (row["half"], row["form"], span["kind"], row["language"]),
                (row["half"], row["form"], "all", row["language"]),
                (row["half"], row["form"], "all", "all"),
            ):
                there[key] += 1
                found[key] += whole
    return {key: (found[key], there[key]) for key in sorted(there)}


def negatives_hit(utterances: Sequence[Row]) -> tuple[int, int]:
    """Return the utterances that hold nothing and are hit, and how many hold nothing."""
    empty = [row for row in utterances if not row["spans"]]
    return sum(bool(covered(row)) for row in empty), len(empty)


def speed(text: str, language: str) -> float:
    """Return characters a second on one text; the best of three, words known."""
    best = 0.0
    for turn in range(4):
        one = text + " " * turn
        began = time.process_time()
        registry.find_all(one, language=language)
        best = max(best, len(one) / (time.process_time() - began))
    return best


def dense(language: str) -> str:
    """Return the language's utterances with personal data, one after another."""
    texts = [row["text"] for row in rows() if row["language"] == language and row["spans"]]
    once = " ".join(texts)
    return once * (LENGTH // len(once) + 1)


def show(half: str, *, missed: bool) -> None:
    """Print the table of a half, or what the rules make of it wrongly."""
    utterances = rows(half)
    if missed:
        for row in utterances:
            for span, whole in judged(row):
                if not whole:
                    print(row["language"], span["kind"], row["text"][span["start"] : span["end"]])
                    print("    ", marked(row))
            if not row["spans"] and covered(row):
                print(row["language"], "NEGATIVE", marked(row))
        return
    table = recall(utterances)
    languages = sorted({key[3] for key in table} - {"all"})
    print(f"\n| {half}: whole spans found | all | " + " | ".join(languages) + " |")
    print("|---" * (len(languages) + 2) + "|")
    for form, kind in sorted({key[1:3] for key in table}):
        cells = [
            f"{found}/{there}" if there else "-"
            for column in ("all", *languages)
            for found, there in [table.get((half, form, kind, column), (0, 0))]
        ]
        print(f"| {form} {kind} | " + " | ".join(cells) + " |")
    hit, there = negatives_hit(utterances)
    print(f"\nnegatives hit: {hit} of {there} ({hit / there:.1%})")


def marked(row: Row) -> str:
    """Return an utterance with its hits in brackets."""
    text = str(row["text"])
    for hit in reversed(registry.find_all(text, language=row["language"])):
        text = f"{text[: hit.start]}[{hit.kind}: {text[hit.start : hit.end]}]{text[hit.end :]}"
    return text


def main() -> None:
    """Print the tables and the speed."""
    halves = [name for name in ("open", "held") if name in sys.argv] or ["open", "held"]
    missed = "--missed" in sys.argv
    for half in halves:
        show(half, missed=missed)
    if missed:
        return
    print("\n| characters a second | dense in personal data |\n|---|---|")
    for language in sorted({row["language"] for row in rows()}):
        print(f"| {language} | {speed(dense(language), language):,.0f} |")
    prose = PROSE * (LENGTH // len(PROSE))
    print(f"| en, prose | {speed(prose, 'en'):,.0f} |")


if __name__ == "__main__":
    main()
