"""A dataset in public: what it is, what one may do with it, on whose consent, made how."""

from typing import Any

import rules
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from ingestion import coverage, manifests
from ingestion.models import Dataset, File, Version
from ingestion.storage import blob_store
from licensing import access
from marketplace.api import ranges
from marketplace.pages import portraits, previews, sheets, threads


@require_safe
def show(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Show a dataset: its newest sealed version, or the one that `?version=` names."""
    dataset = visible(request, organization, slug)
    can_change = rules.has_perm("ingestion.change_dataset", request.user, dataset)
    sealed = list(
        dataset.versions.filter(state=Version.State.SEALED)
        .select_related("log_entry", "dataset__organization")
        .order_by("-number")
    )
    context: dict[str, Any] = {
        "dataset": dataset,
        "can_change": can_change,
        "is_member": rules.has_perm(
            "accounts.view_organization", request.user, dataset.organization
        ),
        "studio": f"/studio/{dataset.organization.slug}/{dataset.slug}/",
        "versions": sealed,
        "open_version": dataset.versions.filter(state__in=OPEN_STATES).first(),
    }
    if not sealed:
        version = dataset.versions.order_by("-number").first()
        stations = threads.of_draft(version, dataset.organization) if version else {}
        return render(request, "pages/datasets/draft.html", context | {"stations": stations})
    version = choose_version(sealed, request.GET.get("version", ""))
    return render(
        request,
        "pages/datasets/show.html",
        context | portrait(version, request.GET.get("offer", "")),
    )


OPEN_STATES = (Version.State.DRAFT, Version.State.PROCESSING, Version.State.REVIEW)


def portrait(version: Version, offer: str) -> dict[str, Any]:
    """Put together what the page of a sealed version shows."""
    offered = sheets.of_version(version)
    consent_state = coverage.state(version=version)
    return {
        "version": version,
        "release": version.release,
        "consent_state": consent_state,
        "stations": threads.of_version(
            version, consent_state=consent_state, offers=[sheet.offer for sheet in offered]
        ),
        "sheets": offered,
        "chosen": sheets.choose(offered, offer),
        "clips": previews.clips(version),
        "excerpts": previews.excerpts(version),
        "consent": portraits.consent_of(version),
        "figures": portraits.figures_of(version),
        "activities": portraits.activities_of(version),
        "preview_ms": previews.PREVIEW_MS,
    }


def choose_version(sealed: list[Version], wanted: str) -> Version:
    """Return the version that the address names, or the newest. Http404 for one there isn't."""
    if not wanted:
        return sealed[0]
    for version in sealed:
        if str(version.number) == wanted:
            return version
    raise Http404


@require_safe
def listen(
    request: HttpRequest, organization: str, slug: str, number: int, clip: int
) -> HttpResponseBase:
    """Stream one of the clips that anybody may hear."""
    version = sealed_version(request, organization, slug, number)
    file = previews.audio_file(version, clip)
    if file is None:
        raise Http404
    return ranges.respond(request, content_of(file))


def content_of(file: File) -> ranges.Content:
    """Open a published file for streaming into a page."""
    return ranges.Content(
        file=blob_store().open(file.blob_id),
        size=file.blob.size,
        sha256=file.blob_id,
        media_type=file.media_type,
        name=file.path.rpartition("/")[2],
        inline=True,
    )


@require_safe
def croissant(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Hand out the Croissant description of the newest sealed version, as it was sealed."""
    version = newest(visible(request, organization, slug))
    answer = HttpResponse(access.croissant(version=version), content_type="application/ld+json")
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


@require_safe
def manifest(
    request: HttpRequest, organization: str, slug: str, number: int, name: str
) -> HttpResponse:
    """Hand out a signed paper of a release: the attestation, its bundle or its log proof."""
    version = sealed_version(request, organization, slug, number)
    if name not in access.MEDIA_TYPES or not name.startswith("manifest.") or not version.manifest:
        raise Http404
    entry = version.log_entry
    if entry is None:
        raise Http404
    papers = manifests.documents(envelope=version.manifest, entry=entry)
    answer = HttpResponse(papers[name], content_type=access.MEDIA_TYPES[name])
    filename = f"{dataset_name(version.dataset)}-{number}.{name}"
    disposition = content_disposition_header(as_attachment=True, filename=filename)
    answer["Content-Disposition"] = str(disposition)
    return answer


def dataset_name(dataset: Dataset) -> str:
    """Return a name for files about a dataset."""
    return f"{dataset.organization.slug}-{dataset.slug}"


def visible(request: HttpRequest, organization: str, slug: str) -> Dataset:
    """Return a dataset that the reader may see; Http404 for others, there or not."""
    dataset = get_object_or_404(
        Dataset.objects.select_related("organization"), organization__slug=organization, slug=slug
    )
    if not rules.has_perm("ingestion.view_dataset", request.user, dataset):
        raise Http404
    return dataset


def newest(dataset: Dataset) -> Version:
    """Return the newest sealed version, or Http404."""
    version = dataset.versions.filter(state=Version.State.SEALED).order_by("-number").first()
    if version is None:
        raise Http404
    return version


def sealed_version(request: HttpRequest, organization: str, slug: str, number: int) -> Version:
    """Return a sealed version of a dataset that the reader may see, or Http404."""
    dataset = visible(request, organization, slug)
    versions = dataset.versions.filter(state=Version.State.SEALED)
    return get_object_or_404(
        versions.select_related("log_entry", "dataset__organization"), number=number
    )


def address(dataset: Dataset) -> str:
    """Return the path of a dataset's page."""
    return reverse("dataset", args=[dataset.organization.slug, dataset.slug])
