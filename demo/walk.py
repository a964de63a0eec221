"""A dataset's way from its folder into the catalogue, by the services that people use.

Every stage looks at what is there and goes on from it, so a load that was killed is taken up where
it stopped; what a person did to the demo meanwhile stays.
"""

import base64
import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from commonhold.errors import CommonholdError, Recorded
from django.db import connection

from accounts.models import User
from demo.people import Actor
from demo.plan import DatasetPlan
from ingestion import releases, review
from ingestion.archive import datasets, uploads
from ingestion.consent import evidence, imports
from ingestion.models import Dataset, Finding, PipelineRun, Segment, Task, Upload, Version
from ingestion.pipeline import jobs
from ingestion.review import hearing
from marketplace import pricing

SOURCES = (".opus", ".flac", ".jsonl", ".txt")
NOTICE, TABLE = "notice.txt", "consents.csv"
AT_ONCE = 2
POLL_SECONDS = 0.3
RUN_SECONDS = 240


class LoadStopped(CommonholdError):
    """A stage of the demo did not work out."""

    code = "demo-stopped"
    status = 500


def load(*, plan: DatasetPlan, actor: Actor) -> Version:
    """Bring a dataset's first version as far as the plan says; one that is there already stays."""
    version = first_version(plan=plan, actor=actor)
    if version.state == Version.State.DRAFT:
        fill(version=version, folder=plan.folder, by=actor.user)
        jobs.start(version=version, by=actor.user)
        version.refresh_from_db()
    if version.state == Version.State.PROCESSING:
        carry_out(version=version, phase=PipelineRun.Phase.INTAKE, by=actor.user)
        version.refresh_from_db()
    if plan.offers and version.state == Version.State.REVIEW:
        if version.review_finished_at is None:
            decide(version=version, names=plan.names, by=actor.user)
        carry_out(version=version, phase=PipelineRun.Phase.FINAL, by=actor.user)
        releases.seal(version=version)
        version.refresh_from_db()
    if version.state == Version.State.SEALED:
        publish(version=version, plan=plan, by=actor.user)
    return version


def first_version(*, plan: DatasetPlan, actor: Actor) -> Version:
    """Return version 1 of the dataset, made if need be."""
    dataset = Dataset.objects.filter(organization=actor.organization, slug=plan.slug).first()
    if dataset is None:
        dataset = datasets.create(
            organization=actor.organization,
            slug=plan.slug,
            title=plan.title,
            description=plan.description,
            language=plan.language,
            task=Task.SPEECH_RECOGNITION,
            by=actor.user,
        )
    return dataset.versions.get(number=1)


def fill(*, version: Version, folder: Path, by: User) -> None:
    """Upload the recordings and transcripts that are not there yet, and import the consents."""
    there = set(version.files.values_list("recording__name", flat=True))
    for path in sources(folder):
        if path.name not in there:
            upload(version=version, path=path, by=by)
    if not version.dataset.consent_records.exists():
        papers = sorted(folder.glob("*.pdf"))
        imports.run(
            version=version,
            table=(folder / TABLE).read_bytes(),
            notice_text=(folder / NOTICE).read_text().strip(),
            by=by,
            evidence={
                path.name: evidence.keep(name=path.name, chunks=[path.read_bytes()])
                for path in papers
            },
        )


def sources(folder: Path) -> list[Path]:
    """Return the recordings and transcripts of a folder."""
    return sorted(
        path for path in folder.iterdir() if path.suffix in SOURCES and path.name != NOTICE
    )


def upload(*, version: Version, path: Path, by: User) -> None:
    """Send a file in parts, as the browser does."""
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    begun = uploads.begin(version=version, path=path.name, size=len(data), by=by, sha256=sha256)
    for part in uploads.part_states(upload=begun):
        if not part.received:
            chunk = data[part.offset : part.offset + part.size]
            uploads.receive_part(
                upload=begun,
                number=part.number,
                chunks=[chunk],
                checksum=base64.b64encode(hashlib.sha256(chunk).digest()).decode(),
            )
    done = uploads.complete(upload=begun, by=by, sha256=sha256)
    if done.state != Upload.State.COMPLETE:
        message = f"The demo's «{path.name}» was refused: {done.error}"
        raise LoadStopped(message)


def carry_out(*, version: Version, phase: str, by: User) -> None:
    """Execute the runs of a phase here, some at once, and wait for those that a worker took."""
    runs = jobs.of(version, phase=phase)
    for run in runs.filter(state=PipelineRun.State.FAILED):
        jobs.retry(run=run, by=by)
    waiting = runs.exclude(state=PipelineRun.State.DONE).values_list("pk", flat=True)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(see_through, list(waiting)):
            pass


def see_through(run_id: UUID) -> None:
    """Execute a run, or wait while somebody else does, until it is done. Raises LoadStopped."""
    deadline = time.monotonic() + RUN_SECONDS
    try:
        while time.monotonic() < deadline:
            jobs.execute(run_id=run_id)
            run = PipelineRun.objects.select_related("recording").get(pk=run_id)
            if run.state == PipelineRun.State.DONE:
                return
            if run.state == PipelineRun.State.FAILED:
                why = Recorded.of(run.error).message if run.error else ""
                message = f"The demo's «{run.recording}» stopped in the pipeline: {why}"
                raise LoadStopped(message)
            time.sleep(POLL_SECONDS)
    finally:
        # The thread ends here, and its connection with it.
        connection.close()
    message = f"A run of the demo was not done within {RUN_SECONDS} seconds; start it again."
    raise LoadStopped(message)


def decide(*, version: Version, names: tuple[str, ...], by: User) -> None:
    """Review as the contributor would: what has no consent goes, what was found is redacted."""
    review.leave_out_uncovered(version=version, by=by)
    for file in version.files.to_process().select_related("recording"):
        if length := file.recording.duration_ms:
            hearing.note(recording=file.recording, ranges=[(0, length)], by=by)
    review.leave_out_unwritten(version=version, by=by)
    for finding in Finding.objects.of(version).open():
        review.decide(finding=finding, redact=True, by=by)
    for segment in Segment.objects.of(version).standing().filter(unwritten=False):
        for place in named(segment=segment, names=names):
            review.add_finding(
                segment=segment, first_word=place, last_word=place, kind="name", by=by
            )
        if segment.needs_review and segment.reviewed_at is None:
            review.review_segment(segment=segment, by=by)
    review.finish(version=version, by=by)


def named(*, segment: Segment, names: tuple[str, ...]) -> Iterator[int]:
    """Yield the numbers of a segment's words that are names."""
    for place, word in enumerate(segment.words):
        if word["text"].strip(".,") in names:
            yield place


def publish(*, version: Version, plan: DatasetPlan, by: User) -> None:
    """Make the offers that were never made."""
    for offer in plan.offers:
        if not version.offers.filter(profile=offer.profile).exists():
            pricing.publish_offer(
                version=version,
                profile=offer.profile,
                amount_minor=offer.amount_minor,
                currency=offer.currency,
                by=by,
                term_days=offer.term_days,
                benefit_share_bps=offer.benefit_share_bps,
            )
