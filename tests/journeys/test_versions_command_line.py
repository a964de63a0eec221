"""Three versions from a terminal: one speaker is left out, one withdraws, the others stay."""

import base64
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys import village
from tests.journeys.terminal import Terminal, finish_review, wait_until_sealed
from tests.journeys.village import BARAKA, EVERYBODY, FIRST, JUMA, LATER, SECOND, Folder, pseudonym
from tests.running import Site

pytestmark = pytest.mark.xdist_group("site")
MINUTE = 60
TERMS = {
    "profile": "commercial-training",
    "price": {"amount_minor": 4000, "currency": "EUR"},
    "term_days": 365,
}
WORDS = {one.words for one in EVERYBODY if one is not BARAKA}


@dataclass(frozen=True)
class Bought:
    """A release that somebody holds: its offer, where it lies, and a file's address on the site."""

    number: int
    offer: int
    folder: Path
    address: str

    @property
    def words(self) -> set[str]:
        """What is said in it."""
        rows = (self.folder / "metadata.jsonl").read_text().splitlines()
        return {json.loads(row)["text"] for row in rows}

    @property
    def rests_on(self) -> set[str]:
        """The commitments of the consents that its signed manifest names."""
        envelope = json.loads((self.folder / "manifest.dsse.json").read_bytes())
        release = json.loads(base64.b64decode(envelope["payload"]))["predicate"]["release"]
        return {record["commitment"] for record in release["consent"]["records"]}


@pytest.fixture
def dataset(people) -> str:
    """What the station publishes."""
    return f"{people.contributor.slug}/village"


def test_a_speaker_leaves_both_versions_and_for_the_third_nobody_is_asked_again(
    site, dataset, archivist, trainer, tmp_path
):
    folder = village.record(tmp_path / "first", FIRST)
    send(archivist, folder)
    see_who_excludes_what(archivist, f"/datasets/{dataset}/versions/1")
    archivist.post(f"/datasets/{dataset}/versions/1/left-out", speaker=pseudonym(BARAKA))
    publish(site, archivist, dataset, number=1)
    first = buy(trainer, dataset, tmp_path / "release-1")
    assert first.words == WORDS

    archivist.post(f"/datasets/{dataset}/versions")
    sent = send(archivist, village.record(tmp_path / "later", SECOND, before=folder))
    assert (sent["consent"]["records"], sent["consent"]["known"]) == (1, len(EVERYBODY))
    publish(site, archivist, dataset, number=2)
    second = buy(trainer, dataset, tmp_path / "release-2")
    assert second.words == WORDS | {LATER.words}

    given = consents(archivist, dataset)
    archivist.post(f"/datasets/{dataset}/speakers/{pseudonym(JUMA)}/withdraw")
    everything_follows(site, dataset, trainer, [first, second])

    archivist.post(f"/datasets/{dataset}/versions", without=[pseudonym(JUMA)])
    publish(site, archivist, dataset, number=3)
    third = buy(trainer, dataset, tmp_path / "release-3")
    assert third.words == (WORDS | {LATER.words}) - {JUMA.words}
    assert consents(archivist, dataset) == given
    assert third.rests_on == second.rests_on - given[pseudonym(JUMA)]


def send(archivist: Terminal, folder: Folder) -> dict[str, Any]:
    """Upload a folder with its consents, process it, and wait for the review."""
    sent: dict[str, Any] = archivist.done(
        "upload", folder.recordings, "--dataset", "village",
        "--title", village.TITLE, "--language", "en", "--task", "speech-recognition",
        "--consent", folder.consent, "--notice", folder.notice, "--process",
    )  # fmt: skip
    assert archivist.done("status", "village", "--watch")["state"] == "review"
    return sent


def see_who_excludes_what(archivist: Terminal, version: str) -> None:
    """Before the seal: one person stands in the way of what is sold, all in the way of CC BY."""
    outlook = archivist.api.get(f"{version}/outlook").raise_for_status().json()
    columns = {column["profile"]: column for column in outlook["licenses"]}
    sold, open_to_all = columns["commercial-training"], columns["CC-BY-4.0"]
    blocks = [(one["speaker"], one["purpose"], one["lack"]) for one in sold["blocks"]]
    assert blocks == [(pseudonym(BARAKA), "commercial", "excluded")]
    everybody = [pseudonym(one) for one in EVERYBODY]
    assert [one["speaker"] for one in open_to_all["blocks"]] == everybody
    assert columns["research-only"]["possible"]


def publish(site: Site, archivist: Terminal, dataset: str, *, number: int) -> None:
    """Finish the review, seal, and offer it. What an earlier version decided is not asked again."""
    version = f"/datasets/{dataset}/versions/{number}"
    if number > 1:
        left = archivist.api.get(version).raise_for_status().json()["review"]
        assert left == dict.fromkeys(left, 0)
    finish_review(archivist, version)
    wait_until_sealed(site, archivist, version)
    offer = archivist.post(f"/datasets/{dataset}/offers", **TERMS)
    assert (offer["version"], offer["active"]) == (number, True)


def buy(trainer: Terminal, dataset: str, folder: Path) -> Bought:
    """Find what is offered, buy it, take it and prove it."""
    (offer,) = listed(trainer, dataset, "--allows", "commercial")["offers"]
    grant = trainer.done("buy", dataset, "--offer", offer["id"], "--accept")["grant"]
    trainer.done("download", dataset, "--to", folder)
    checks = trainer.done("verify", folder)["checks"]
    assert {check["state"] for check in checks.values()} == {"ok"}
    files = trainer.api.get(f"/grants/{grant}/release").raise_for_status().json()["files"]
    return Bought(offer["version"], offer["id"], folder, files[0]["url"])


def consents(archivist: Terminal, dataset: str) -> dict[str, set[str]]:
    """The commitments of everything that was ever agreed to, by speaker."""
    found: dict[str, set[str]] = {}
    for one in archivist.every(f"/datasets/{dataset}/consent"):
        mine = found.setdefault(one["speaker"]["pseudonym"], set())
        mine.add(f"sha256:{one['commitment']}")
    return found


def listed(trainer: Terminal, dataset: str, *facets: str) -> dict[str, Any]:
    """What the catalogue says of the dataset where it is searched like this; empty for nothing."""
    found = trainer.done("search", "village", *facets)["results"]
    names = {f"{one['organization']['slug']}/{one['slug']}": one for one in found}
    return names.get(dataset, {})


def everything_follows(
    site: Site, dataset: str, trainer: Terminal, releases: Iterable[Bought]
) -> None:
    """Within the minute: both versions, offers, downloads, status lists, and the catalogue."""
    deadline = time.monotonic() + MINUTE
    for held in releases:
        for follows in (version_follows, offer_follows, download_follows, status_list_follows):
            site.wait_for(
                lambda follows=follows, held=held: follows(trainer, dataset, held),
                seconds=deadline - time.monotonic(),
            )
    site.wait_for(
        lambda: not listed(trainer, dataset, "--allows", "commercial"),
        seconds=deadline - time.monotonic(),
    )
    shown = listed(trainer, dataset)
    assert (shown["offers"], shown["allows"]) == ([], [])


def version_follows(trainer: Terminal, dataset: str, held: Bought) -> bool:
    versions = trainer.api.get(f"/datasets/{dataset}").raise_for_status().json()["versions"]
    states = {one["number"]: one["consent_state"] for one in versions}
    return states[held.number] == "withdrawn"


def offer_follows(trainer: Terminal, dataset: str, held: Bought) -> bool:
    offer = trainer.api.get(f"/offers/{held.offer}").raise_for_status().json()
    order = {"offer": held.offer, "accept_terms_sha256": offer["terms_sha256"]}
    bought = trainer.api.post("/orders", json=order, headers={"Idempotency-Key": str(uuid4())})
    closed = (offer["active"], offer["closed_because"]) == (False, "consent")
    return closed and bought.status_code == 409


def download_follows(trainer: Terminal, dataset: str, held: Bought) -> bool:
    again = trainer.run("download", f"{dataset}@{held.number}", "--to", f"{held.folder}-again")
    by_address = trainer.api.get(held.address)
    return again.returncode == 1 and by_address.status_code == 403


def status_list_follows(trainer: Terminal, dataset: str, held: Bought) -> bool:
    """What the buyer holds says so, too, whenever it is verified."""
    verified = trainer.run("verify", held.folder, "--json")
    consent = json.loads(verified.stdout)["checks"]["consent"]
    fallen = consent["details"].get("fallen", [])
    return verified.returncode == 1 and [one["pseudonym"] for one in fallen] == [pseudonym(JUMA)]
