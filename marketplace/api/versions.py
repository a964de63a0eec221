"""Versions: opening one, following its pipeline, finishing its review."""

from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion import datasets, pipeline, review
from ingestion.models import File, PipelineRun, Upload, Version
from ingestion.tasks import run_pipeline_task
from marketplace.api.permissions import may
from marketplace.api.resource import OPEN, Resource, caller, find_dataset, find_version


class VersionName(serializers.Serializer[Any]):
    """Which version, and where it stands."""

    number = serializers.IntegerField()
    state = serializers.CharField()


class FileJson(serializers.Serializer[Any]):
    """A file of a version; for its contributors also what is on its way or was refused."""

    path = serializers.CharField()
    kind = serializers.CharField(allow_null=True)
    size = serializers.IntegerField()
    sha256 = serializers.CharField(allow_null=True)
    state = serializers.CharField()
    error = serializers.CharField(allow_null=True)


class StepJson(serializers.Serializer[Any]):
    """One step of a run."""

    name = serializers.CharField()
    state = serializers.CharField()
    tool = serializers.CharField()
    tool_version = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()


class RunJson(serializers.Serializer[Any]):
    """One execution of a recipe over one file."""

    path = serializers.CharField(source="file.path")
    phase = serializers.CharField()
    state = serializers.CharField()
    error = serializers.CharField()
    steps = StepJson(many=True)


class ReviewJson(serializers.Serializer[Any]):
    """What is left for a person to do."""

    open_findings = serializers.IntegerField()
    unreviewed_segments = serializers.IntegerField()
    uncovered_segments = serializers.IntegerField()


class ReleaseJson(serializers.Serializer[Any]):
    """What was sealed."""

    root = serializers.CharField()  # type: ignore[assignment]  # a field, no property
    index_sha256 = serializers.CharField()
    files = serializers.IntegerField()
    bytes = serializers.IntegerField()
    log_index = serializers.IntegerField()


class VersionJson(VersionName):
    """A version. Who may not see originals gets the released files, and no runs or review."""

    files = FileJson(many=True)
    runs = RunJson(many=True)
    review = ReviewJson(allow_null=True)
    release = ReleaseJson(allow_null=True)
    seal_error = serializers.CharField(allow_null=True)


def show(request: Request, version: Version) -> dict[str, Any]:
    """Return a version as JSON, with what the caller may see of it."""
    owner = version.dataset.organization
    inside = may(request, "ingestion.view_originals", version, owner=owner)
    under_review = inside and version.state == Version.State.REVIEW
    return dict(
        VersionJson(
            {
                "number": version.number,
                "state": version.state,
                "files": originals(version) if inside else released(version),
                "runs": runs(version) if inside else [],
                "review": review.progress(version=version) if under_review else None,
                "release": release_of(version),
                "seal_error": (version.seal_error or None) if inside else None,
            }
        ).data
    )


def originals(version: Version) -> list[dict[str, Any]]:
    """Return the originals, and the uploads that did not become one."""
    files = version.files.filter(role=File.Role.SOURCE).select_related("blob")
    unfinished = version.uploads.filter(state__in=[Upload.State.OPEN, Upload.State.REFUSED])
    here = [file_line(file) for file in files.order_by("path_key")]
    coming = [
        {
            "path": upload.path,
            "kind": None,
            "size": upload.size,
            "sha256": upload.sha256 or None,
            "state": upload.state,
            "error": upload.error or None,
        }
        for upload in unfinished.order_by("created_at")
    ]
    return here + coming


def released(version: Version) -> list[dict[str, Any]]:
    """Return the published files."""
    files = version.files.filter(role=File.Role.RELEASE).select_related("blob")
    return [file_line(file) for file in files.order_by("pk")]


def file_line(file: File) -> dict[str, Any]:
    """Return one file as JSON."""
    return {
        "path": file.path,
        "kind": file.kind,
        "size": file.blob.size,
        "sha256": file.blob_id,
        "state": "complete",
        "error": None,
    }


def runs(version: Version) -> list[PipelineRun]:
    """Return the runs with their steps, in the order of the files."""
    found = PipelineRun.objects.filter(file__version=version).select_related("file")
    return list(found.prefetch_related("steps").order_by("file__path_key", "-phase"))


def release_of(version: Version) -> dict[str, Any] | None:
    """Return what was sealed, from the signed release."""
    if not version.release or version.log_entry_id is None:
        return None
    files = version.release["files"]
    return {
        "root": version.merkle_root,
        "index_sha256": files["index"]["digest"]["sha256"],
        "files": files["count"],
        "bytes": files["bytes"],
        "log_index": version.log_entry_id,
    }


def enqueue(found: list[PipelineRun]) -> None:
    """Tell the workers about runs, once they are committed. A lost message is swept up later."""
    for run in found:
        run_pipeline_task.delay_on_commit(str(run.pk))


class Versions(Resource):
    """The versions of a dataset."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=None, responses={200: VersionName, 201: VersionName})
    @transaction.atomic
    def post(self, request: Request, org: str, slug: str) -> Response:
        """Open the next version, or return the one that is open."""
        dataset = find_dataset(request, org, slug, "ingestion.change_dataset")
        before = dataset.versions.count()
        version = datasets.open_draft(dataset=dataset, by=caller(request))
        is_new = dataset.versions.count() > before
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(VersionName(version).data, status=code)


class OneVersion(Resource):
    """A version."""

    scopes: ClassVar = {"GET": OPEN}

    @extend_schema(responses=VersionJson)
    def get(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Return a version: files, the steps of each run, what is left to review, the seal."""
        return Response(show(request, find_version(request, org, slug, number)))


class Process(Resource):
    """The start of the pipeline."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=None, responses={202: VersionJson})
    @transaction.atomic
    def post(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Close the draft to new files and start a run for every recording and text."""
        version = find_version(request, org, slug, number, "ingestion.change_dataset")
        enqueue(pipeline.start(version=version, by=caller(request)))
        version.refresh_from_db()
        return Response(show(request, version), status=status.HTTP_202_ACCEPTED)


class FinishReview(Resource):
    """The end of the review."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=None, responses={202: VersionJson})
    @transaction.atomic
    def post(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Close the review: its decisions are applied to every file, and then the version seals."""
        version = find_version(request, org, slug, number, "ingestion.change_dataset")
        enqueue(review.finish(version=version, by=caller(request)))
        version.refresh_from_db()
        return Response(show(request, version), status=status.HTTP_202_ACCEPTED)
