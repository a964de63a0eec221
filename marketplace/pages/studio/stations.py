"""How far a version has come: its thread, and the one thing to do next."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from ingestion import review
from ingestion.models import ConsentRecord, File, PipelineRun, StepRun, Upload, Version
from licensing.models import AccessRecord, Offer
from marketplace.pages.studio import consents
from marketplace.pages.studio import steps as recorded
from marketplace.pages.studio.access import Work
from marketplace.templatetags import wording

Station = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the thread and the next step are told from, read once."""

    files: int
    duration_ms: int
    uploads: int
    coverage: list[consents.FileCoverage]
    runs: list[PipelineRun]
    left: review.Progress | None
    offers: int
    downloads: int
    ended_consents: int

    @property
    def uncovered(self) -> list[consents.FileCoverage]:
        """Files that nobody's consent touches."""
        return [one for one in self.coverage if not one.speakers]

    @property
    def failed(self) -> list[PipelineRun]:
        """Runs that stopped."""
        return [run for run in self.runs if run.state == PipelineRun.State.FAILED]


@dataclass(frozen=True)
class Step:
    """What to do now: a sentence, and the one button for it."""

    sentence: str
    action: str
    href: str
    posts: bool = False


def read(work: Work) -> Facts:
    """Read what a page about a version tells at its head."""
    version = work.version
    sources = list(version.files.filter(role=File.Role.SOURCE))
    in_review = version.state == Version.State.REVIEW and version.review_finished_at is None
    return Facts(
        files=len(sources),
        duration_ms=sum(file.duration_ms or 0 for file in sources),
        uploads=version.uploads.filter(
            state=Upload.State.OPEN, expires_at__gt=timezone.now()
        ).count(),
        coverage=consents.of_version(version),
        runs=list(
            PipelineRun.objects.filter(file__version=version)
            .select_related("file")
            .prefetch_related(recorded.of_runs())
            .order_by("file__path_key")
        ),
        left=review.progress(version=version) if in_review else None,
        offers=Offer.objects.filter(version=version, closed_at__isnull=True).count(),
        downloads=AccessRecord.objects.filter(
            dataset=str(work.dataset), version=version.number
        ).count(),
        ended_consents=ended_consents(version),
    )


def ended_consents(version: Version) -> int:
    """Count the withdrawn or expired consents that a version's files rested on."""
    records = ConsentRecord.objects.filter(scopes__file__version=version).distinct()
    return records.count() - records.in_force().count()


def stations(work: Work, facts: Facts) -> dict[str, Station]:
    """Return the thread of a version, as the component draws it."""
    return {
        "source": source(work, facts),
        "consent": consent(work, facts),
        "text": pipeline_station(work, facts, {"decode", "vad", "text"}),
        "scrub": pipeline_station(work, facts, {"detect", "redact", "strip", "quality"}),
        "review": reviewed(work, facts),
        "seal": sealed(work),
        "license": licensed(work, facts),
        "download": downloaded(facts),
    }


def source(work: Work, facts: Facts) -> Station:
    """Tell what has arrived."""
    if not facts.files:
        return {"state": "active", "label": "No files yet", "href": work.url("files")}
    length = f", {wording.duration(facts.duration_ms)}" if facts.duration_ms else ""
    label = f"{facts.files} file{'s' * (facts.files != 1)}{length}"
    return {
        "state": "active" if facts.uploads else "done",
        "label": f"{label}; {facts.uploads} on the way" if facts.uploads else label,
        "href": work.url("files"),
    }


def consent(work: Work, facts: Facts) -> Station:
    """Tell whose consent there is, and where it lacks."""
    href = work.url("consent")
    if facts.ended_consents and not work.version.is_open:
        label = f"{facts.ended_consents} ended since"
        return {"state": "refused", "label": label, "href": href}
    if not facts.files:
        return {"state": "waiting", "href": href}
    if all(one.is_complete for one in facts.coverage):
        return {"state": "done", "label": "Covers everything", "href": href}
    touched = len(facts.coverage) - len(facts.uncovered)
    label = f"{touched} of {len(facts.coverage)} files" if facts.uncovered else "Covers parts"
    sealed = not work.version.is_open
    return {"state": "done" if sealed else "active", "label": label, "href": href}


def pipeline_station(work: Work, facts: Facts, names: Iterable[str]) -> Station:
    """Tell how far the steps of one station are, over all files."""
    href = work.url("pipeline")
    steps = [
        step
        for run in facts.runs
        if run.phase == PipelineRun.Phase.INTAKE
        for step in run.steps.all()
        if step.name in names
    ]
    states = {step.state for step in steps}
    if not states or states == {StepRun.State.PENDING}:
        return {"state": "waiting", "href": href}
    if StepRun.State.FAILED in states:
        return {"state": "refused", "label": "Stopped", "href": href}
    if states == {StepRun.State.DONE}:
        ended = max(step.ended_at for step in steps if step.ended_at)
        return {"state": "done", "at": ended, "href": href}
    done = sum(step.state == StepRun.State.DONE for step in steps)
    return {"state": "active", "label": f"{done} of {len(steps)} steps", "href": href}


def reviewed(work: Work, facts: Facts) -> Station:
    """Tell what a person has still to hear."""
    version, href = work.version, work.url("review")
    if version.review_finished_at:
        detail = f"Finished by {version.review_finished_by}"
        return {"state": "done", "at": version.review_finished_at, "detail": detail, "href": href}
    if facts.left is None:
        return {"state": "waiting", "href": href}
    return {"state": "active", "label": to_do(facts.left), "href": href}


def to_do(left: review.Progress) -> str:
    """Say what is left of a review in two or three words."""
    count = left.open_findings + left.unreviewed_segments + left.uncovered_segments
    return f"{count} to hear" if count else "Ready to finish"


def sealed(work: Work) -> Station:
    """Tell whether the version is signed and in the log."""
    version, href = work.version, work.url("review")
    if version.sealed_at:
        return {
            "state": "done",
            "label": "Sealed",
            "digest": version.merkle_root,
            "at": version.sealed_at,
            "href": work.url(),
        }
    if version.seal_error:
        return {"state": "refused", "detail": version.seal_error, "href": href}
    if version.review_finished_at:
        return {"state": "active", "href": href}
    return {"state": "waiting"}


def licensed(work: Work, facts: Facts) -> Station:
    """Tell how many licenses are offered."""
    if not work.version.sealed_at:
        return {"state": "waiting"}
    href = work.url("offers")
    if not facts.offers:
        return {"state": "active", "label": "Not offered yet", "href": href}
    label = f"{facts.offers} offer{'s' * (facts.offers != 1)}"
    return {"state": "done", "label": label, "href": href}


def downloaded(facts: Facts) -> Station:
    """Tell how often licensees took the release."""
    if not facts.downloads:
        return {"state": "waiting", "label": "Not yet"}
    times = "once" if facts.downloads == 1 else f"{facts.downloads} times"
    return {"state": "done", "label": f"Taken {times}"}


def next_step(work: Work, facts: Facts) -> Step:
    """Choose the one thing that a contributor does next."""
    match work.version.state:
        case Version.State.DRAFT:
            return next_of_draft(work, facts)
        case Version.State.PROCESSING if facts.failed:
            name = facts.failed[0].file.path
            sentence = f"«{name}» could not be processed. Try it again, or take it out."
            return Step(sentence, "See what stopped", work.url("pipeline"))
        case Version.State.PROCESSING:
            sentence = (
                "The machine writes down, looks for personal data and scrubs. "
                "You can leave this page."
            )
            return Step(sentence, "Watch it work", work.url("pipeline"))
        case Version.State.REVIEW:
            return next_of_review(work, facts)
        case _:
            return next_of_sealed(work, facts)


def next_of_draft(work: Work, facts: Facts) -> Step:
    """Choose between adding files, recording consent and starting."""
    if not facts.files:
        sentence = "Add the recordings, each with the transcript of the same name if you have one."
        return Step(sentence, "Add files", work.url("files"))
    if facts.uploads:
        many = "One upload is" if facts.uploads == 1 else f"{facts.uploads} uploads are"
        sentence = f"{many} not finished. Choose the same files again to go on where it stopped."
        return Step(sentence, "Finish the uploads", work.url("files"))
    if facts.uncovered:
        lack = len(facts.uncovered)
        files = f"{lack} of {len(facts.coverage)} recordings and texts"
        sentence = f"Nobody's consent is recorded for {files}."
        return Step(sentence, "Record consent", work.url("consent"))
    sentence = (
        "Everything is here. Start the machine: it writes down, looks for personal data and scrubs."
    )
    return Step(sentence, "Start processing", work.url("start"), posts=True)


def next_of_review(work: Work, facts: Facts) -> Step:
    """Choose between hearing, finishing and waiting for the seal."""
    href = work.url("review")
    if facts.left is None:
        return Step(
            "Your decisions are being applied; then the version is sealed.", "Watch it", href
        )
    if facts.left.is_complete:
        return Step(
            "You have heard everything. Finish the review to seal the version.",
            "Go and finish",
            href,
        )
    return Step(f"Hear what was found, and decide: {to_do(facts.left)}.", "Review", href)


def next_of_sealed(work: Work, facts: Facts) -> Step:
    """Choose between offering a license and looking at what is published."""
    if work.version.state == Version.State.WITHDRAWN:
        sentence = f"Version {work.version.number} is withdrawn: nobody can license it any more."
        return Step(sentence, "Begin a new version", work.url("open_version"), posts=True)
    if not facts.offers:
        sentence = (
            f"Version {work.version.number} is sealed. "
            "Choose who may use it, for what, and for how much."
        )
        return Step(sentence, "Offer a license", work.url("offers"))
    sentence = f"Version {work.version.number} is published and can be licensed."
    return Step(sentence, "See the public page", public_url(work))


def public_url(work: Work) -> str:
    """Return the address of the dataset in the catalogue."""
    return f"/d/{work.dataset.organization.slug}/{work.dataset.slug}"
