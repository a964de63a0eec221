"""The record of who did what: nothing that changes anything is left out, and nothing is changed."""

import ast
import inspect
from functools import cache
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from accounts import audit, requests
from accounts.models import AuditEntry
from ingestion import consent, releases, review
from ingestion.archive import datasets, recordings, versions
from ingestion.models import Segment
from ingestion.pipeline import jobs
from licensing import grants, offers
from tests import factories, sealed
from tests.sealed import Said

pytestmark = pytest.mark.django_db

ROOT = Path(inspect.getfile(audit)).parents[1]
PACKAGES = ("accounts", "ingestion", "licensing")
NOTE = "accounts.audit.note"
# Whoever acts is kept in the row itself, or by the one function that calls these.
KEPT_IN_THE_ROW = {
    "ingestion.archive.recordings.place": "File.added_by; its callers write the entry",
    "ingestion.archive.recordings.put_back": "File.added_by; undo writes the entry",
    "ingestion.archive.versions.carry_over": "File.added_by; open_draft writes the entry",
    "ingestion.archive.uploads.begin": "Upload.created_by; what it becomes writes the entry",
    "ingestion.consent.records.note_event": "ConsentEvent.actor; its callers write the entry",
    "ingestion.review.hearing.note": "Hearing.user: playing changes nothing",
    "ingestion.review.stretches.answer": "Segment.reviewed_by; its callers write the entry",
    "ingestion.review.stretches.mark_read": "Segment.reviewed_by; its callers write the entry",
    "licensing.access.note_access": "AccessRecord.by: a history of its own",
}


@cache
def module(name: str) -> ast.Module | None:
    path = ROOT.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.exists():
            return ast.parse(file.read_text())
    return None


def names_in(name: str) -> dict[str, str]:
    """What the names that a module imports stand for."""
    found: dict[str, str] = {}
    for node in ast.walk(module(name) or ast.Module([], [])):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return found


def resolved(name: str) -> str:
    """Follow a name through the faces of packages to where it is defined."""
    home, _, function = name.rpartition(".")
    imported = names_in(home).get(function) if module(home) else None
    return resolved(imported) if imported else name


def functions() -> dict[str, ast.FunctionDef]:
    """Every function of ours that is told who acts."""
    found = {}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            if "migrations" in file.parts:
                continue
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            for node in (module(name) or ast.Module([], [])).body:
                if isinstance(node, ast.FunctionDef) and "by" in arguments(node):
                    found[f"{name}.{node.name}"] = node
    return found


def arguments(node: ast.FunctionDef) -> set[str]:
    return {one.arg for one in (*node.args.args, *node.args.kwonlyargs)}


def told_on(name: str, node: ast.FunctionDef) -> set[str]:
    """Whom a function tells in turn who acts."""
    home = name.rpartition(".")[0]
    imported, found = names_in(home), set()
    for call in (one for one in ast.walk(node) if isinstance(one, ast.Call)):
        values = [*call.args, *(one.value for one in call.keywords)]
        if not any(isinstance(value, ast.Name) and value.id == "by" for value in values):
            continue
        match call.func:
            case ast.Name(id=callee):
                found.add(resolved(imported.get(callee, f"{home}.{callee}")))
            case ast.Attribute(value=ast.Name(id=base), attr=callee) if base in imported:
                found.add(resolved(f"{imported[base]}.{callee}"))
    return found


def test_whoever_is_told_who_acts_writes_it_down():
    known = functions()
    told = {name: told_on(name, node) for name, node in known.items()}
    writes = {NOTE}
    while more := {name for name in told if name not in writes and told[name] & writes}:
        writes |= more
    assert len(writes) > 30
    reads = {name for name in known if name.endswith((".last", ".name_of"))}
    assert set(known) - writes - reads == set(KEPT_IN_THE_ROW)


def test_an_entry_is_never_changed_or_taken_back():
    audit.note(by=factories.user(), verb="thing.done", about=())
    for change in (
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(verb="thing.undone"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_an_entry_says_who_acted_with_which_key_and_in_which_request():
    person = factories.user("amina@radio.example")
    with requests.during(requests.Request(id="r-1")):
        requests.with_key("laptop", prefix="abc")
        with_key = audit.note(by=person, verb="thing.done", about=(person,), count=3)
    without = audit.note(by=person, verb="thing.done", about=())
    by_site = audit.note(by=audit.SITE, verb="thing.done", about=())
    assert with_key.actor == "amina@radio.example with the key «laptop»"
    assert (with_key.actor_id, with_key.request_id) == (person.pk, "r-1")
    assert (with_key.about, with_key.copies) == ([f"user:{person.pk}"], {"count": 3})
    assert (without.actor, without.request_id) == ("amina@radio.example", "")
    assert (by_site.actor, by_site.actor_id) == ("the site", None)


def test_an_entry_goes_with_its_transaction():
    with transaction.atomic():
        audit.note(by=factories.user(), verb="thing.done", about=())
        transaction.set_rollback(True)
    assert not AuditEntry.objects.filter(verb="thing.done").exists()


def test_the_history_of_a_dataset_tells_its_whole_life():
    dataset = sealed.dataset()
    by, draft = factories.owner_of(dataset.organization), dataset.versions.get()
    said = (Said("Good morning from the valley."), Said("The road is open.", "Juma"))
    sealed.add(draft, said=said, path="a.wav")
    b = sealed.source(draft, path="b.wav")
    jobs.start(version=draft, by=by)
    decision = recordings.remove(file=draft.files.get(recording=b), by=by)
    segment = Segment.objects.of(draft).first()
    review.review_segment(segment=segment, text="Good morning, valley.", by=by)
    review.undo(decision=review.last(version=draft, by=by), by=by)
    juma = dataset.speakers.get(name="Juma")
    review.leave_out_speaker(version=draft, speaker=juma, by=by)
    review.bring_back_speaker(version=draft, speaker=juma, by=by)
    version = sealed.seal(draft)
    datasets.edit(dataset=dataset, by=by, title="Evening show")
    offer = offers.make(version=version, profile="CC-BY-4.0", by=by)
    buyer = factories.organization()
    grant = grants.issue(
        offer=offer,
        licensee=buyer,
        by=factories.owner_of(buyer),
        consideration=grants.Consideration("0.00", "EUR", "free"),
        acceptance=grants.Acceptance(offer.created_at, "api"),
    )
    grants.revoke(grant=grant, by=by)
    offers.close(offer=offer, by=by)
    second = versions.open_draft(dataset=dataset, by=by)
    versions.discard(version=second, by=by)
    consent.withdraw_speaker(speaker=juma, by=by)
    consent.erase(record=juma.consent_records.get(), by=by)
    releases.withdraw(version=version, reason="A mistake.", by=by)
    assert decision.undoes is None
    told = [entry.verb for entry in reversed(audit.history(of=dataset))]
    assert told == [
        "dataset.created", "version.opened",
        "speaker.added", "speaker.added", "consent.recorded", "consent.recorded",
        "pipeline.started", "recording.removed",
        "review.correct", "review.undone", "review.leave-out-speaker",
        "review.bring-back-speaker", "review.finished", "version.sealed", "dataset.edited",
        "offer.opened", "grant.issued", "grant.revoked", "offer.closed",
        "version.opened", "version.discarded",
        "speaker.withdrawn", "consent.withdrawn", "consent.erased", "version.withdrawn",
    ]  # fmt: skip
    names = " ".join(str(entry.copies) for entry in AuditEntry.objects.all())
    assert "Juma" not in names
    assert "a.wav" not in names
