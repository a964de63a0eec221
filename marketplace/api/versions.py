"""Versions: opening one, following its pipeline, finishing its review, taking it back."""

from collections.abc import Iterable
from typing import Any, ClassVar

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion import releases, review
from ingestion.archive import versions
from ingestion.models import Dataset, Speaker, Version
from ingestion.pipeline import jobs
from ingestion.tasks import enqueue, seal_version_task
from marketplace.api.resource import OPEN, Resource, caller, find_dataset, find_version
from marketplace.api.version_json import VersionJson, VersionName, show
from marketplace.tasks import follow_news_task


class NoSuchVersion(CommonholdError):
    """A request names a version that the dataset doesn't have."""

    code = "no-such-version"
    status = 422


class OpenVersion(serializers.Serializer[Any]):
    """How the next version begins; from the newest sealed one unless another is named."""

    begin_from = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Number of a sealed version."
    )
    without = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        default=list,
        help_text="Pseudonyms of speakers who are left out of it.",
    )


class WithdrawVersion(serializers.Serializer[Any]):
    """Why a version is taken back."""

    reason = serializers.CharField(allow_blank=True)


def find_speakers(dataset: Dataset, pseudonyms: Iterable[str]) -> list[Speaker]:
    """Return the dataset's speakers of these pseudonyms. Raises SpeakerUnknown."""
    wanted = list(dict.fromkeys(pseudonyms))
    known = {one.pseudonym: one for one in dataset.speakers.filter(pseudonym__in=wanted)}
    for pseudonym in wanted:
        if pseudonym not in known:
            sentence = _("%(speaker)s is not a speaker of this dataset.")
            raise review.SpeakerUnknown(sentence, speaker=pseudonym)
    return [known[pseudonym] for pseudonym in wanted]


def numbered(dataset: Dataset, number: int | None) -> Version | None:
    """Return the version that a request names, None if it names none. Raises NoSuchVersion."""
    if number is None:
        return None
    found = dataset.versions.filter(number=number).first()
    if found is None:
        sentence = _("«%(dataset)s» has no version %(number)s.")
        raise NoSuchVersion(sentence, dataset=str(dataset), number=number)
    return found


class Versions(Resource):
    """The versions of a dataset."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=OpenVersion, responses={200: VersionName, 201: VersionName})
    def post(self, request: Request, org: str, slug: str) -> Response:
        """Open the next version, or return the one that is open.

        It begins with the recordings, results, decisions and consents of a sealed one.
        """
        dataset = find_dataset(request, org, slug, "ingestion.change_dataset")
        asked = OpenVersion(data=request.data)
        asked.is_valid(raise_exception=True)
        known = set(dataset.versions.values_list("pk", flat=True))
        version = versions.open_draft(
            dataset=dataset,
            by=caller(request),
            begin_from=numbered(dataset, asked.validated_data["begin_from"]),
            without=find_speakers(dataset, asked.validated_data["without"]),
        )
        code = status.HTTP_200_OK if version.pk in known else status.HTTP_201_CREATED
        return Response(VersionName(version).data, status=code)


class OneVersion(Resource):
    """A version."""

    scopes: ClassVar = {"GET": OPEN, "DELETE": (Scope.CONTRIBUTE,)}

    @extend_schema(responses=VersionJson)
    def get(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Return a version: files, the steps of each run, what is left to review, the seal."""
        return Response(show(request, find_version(request, org, slug, number)))

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Discard a version that is open, with the recordings that no other version has."""
        version = find_version(request, org, slug, number, "ingestion.change_dataset")
        versions.discard(version=version, by=caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Process(Resource):
    """The start of the pipeline."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=None, responses={202: VersionJson})
    def post(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Close the draft to new files and start a run for what was not processed before.

        Where nothing is new, the version is in review at once.
        """
        version = find_version(request, org, slug, number, "ingestion.change_dataset")
        enqueue(jobs.start(version=version, by=caller(request)))
        version.refresh_from_db()
        return Response(show(request, version), status=status.HTTP_202_ACCEPTED)


class FinishReview(Resource):
    """The end of the review."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=None, responses={202: VersionJson})
    def post(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Close the review: its decisions are applied to every file, and then the version seals.

        Look at the version's outlook first: what is sealed stays as it is.
        """
        version = find_version(request, org, slug, number, "ingestion.change_dataset")
        todo = review.finish(version=version, by=caller(request))
        enqueue(todo)
        if not todo:
            seal_version_task.delay_on_commit(version.pk)
        version.refresh_from_db()
        return Response(show(request, version), status=status.HTTP_202_ACCEPTED)


class Withdraw(Resource):
    """A version taken back by its publisher."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=WithdrawVersion, responses=VersionJson)
    def post(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Take a sealed version back for good: its offers close, and nothing is handed out."""
        version = find_version(request, org, slug, number, "ingestion.change_dataset")
        asked = WithdrawVersion(data=request.data)
        asked.is_valid(raise_exception=True)
        done = releases.withdraw(
            version=version, reason=asked.validated_data["reason"], by=caller(request)
        )
        follow_news_task.delay_on_commit()
        return Response(show(request, done))
