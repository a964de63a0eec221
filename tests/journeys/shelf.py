"""A site with something of every state on its shelves: a draft, a review, a sealed dataset, a sale.

Made from a terminal, since that is quick. The names are as hard on a page as names can be.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.journeys import clinic_hours, real_speech
from tests.journeys.people import People, meet
from tests.journeys.terminal import Terminal, finish_review, wait_until_sealed
from tests.running import Site

LONG_TITLE = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen, vorgelesen"
RIGHT_TO_LEFT_TITLE = "برنامج الصباح: أخبار السوق والمياه"


@dataclass(frozen=True)
class Shelf:
    """Who owns what: datasets by their state, the offer of the sealed one, and the sale."""

    people: People
    draft: str
    review: str
    sealed: str
    offer: int
    grant: str


def fill(site: Site, folder: Path) -> Shelf:
    """Fill the shelves of two new organizations."""
    people = meet(site, "shelf")
    with (
        contextlib.closing(Terminal(site, people.contributor, folder / "archivist")) as archivist,
        contextlib.closing(Terminal(site, people.trainer, folder / "trainer")) as trainer,
    ):
        slug = people.contributor.slug
        send(archivist, spoken(folder / "spoken"), dataset="clinic", title=RIGHT_TO_LEFT_TITLE)
        send(archivist, read_aloud(folder / "read"), dataset="pages", title=LONG_TITLE)
        begin_draft(archivist, folder / "spoken" / "in" / clinic_hours.SPOKEN)
        offer = publish(site, archivist, f"{slug}/pages")
        grant = trainer.done("buy", f"{slug}/pages", "--offer", offer["id"], "--accept")["grant"]
        archivist.done("status", "clinic", "--watch")
    return Shelf(people, f"{slug}/draft", f"{slug}/clinic", f"{slug}/pages", offer["id"], grant)


def spoken(folder: Path) -> Path:
    """The recording with numbers in it, and the consent of its speaker for half of it."""
    folder.mkdir()
    (folder / "in").mkdir()
    audio = folder / "in" / clinic_hours.SPOKEN
    clinic_hours.speak(audio)
    audio.with_suffix(".txt").write_text(clinic_hours.SAID)
    clinic_hours.consents(folder / "consent.csv", file=audio.name, end="0:00:05")
    (folder / "notice.txt").write_text(clinic_hours.NOTICE)
    return folder


def read_aloud(folder: Path) -> Path:
    """The shortest recording of the reader."""
    folder.mkdir()
    real_speech.lay_out(folder / "in")
    shortest = min((folder / "in").glob("*.wav"), key=lambda path: path.stat().st_size)
    for path in (folder / "in").iterdir():
        if path.stem != shortest.stem:
            path.unlink()
    real_speech.write_consent(folder / "in")
    return folder


def send(archivist: Terminal, folder: Path, *, dataset: str, title: str) -> None:
    """Upload a folder with its consents, and start the pipeline."""
    archivist.done(
        "upload", folder / "in", "--dataset", dataset, "--title", title,
        "--language", "en", "--task", "speech-recognition",
        "--consent", folder / "consent.csv", "--notice", folder / "notice.txt", "--process",
    )  # fmt: skip


def begin_draft(archivist: Terminal, recording: Path) -> None:
    """Upload one recording and nothing else."""
    archivist.done(
        "upload", recording, "--dataset", "draft",
        "--title", "A draft", "--language", "en", "--task", "speech-recognition",
    )  # fmt: skip


def publish(site: Site, archivist: Terminal, dataset: str) -> dict[str, Any]:
    """Review, seal and offer for €40 a year, and free of charge for research."""
    version = f"/datasets/{dataset}/versions/1"
    archivist.done("status", dataset.partition("/")[2], "--watch")
    finish_review(archivist, version)
    wait_until_sealed(site, archivist, version)
    free = {"amount_minor": 0, "currency": "EUR"}
    archivist.post(f"/datasets/{dataset}/offers", profile="research-only", price=free)
    price = {"amount_minor": 4000, "currency": "EUR"}
    made: dict[str, Any] = archivist.post(
        f"/datasets/{dataset}/offers", profile="commercial-training", price=price, term_days=365
    )
    return made
