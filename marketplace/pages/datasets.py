"""A dataset in public: what it is, what one may do with it, on whose consent, made how."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe
from rules.permissions import has_perm

from ingestion import releases
from ingestion.archive.blobs import BytesDamaged
from ingestion.models import Dataset, Version
from licensing.papers import MEDIA_TYPES
from marketplace.http import kept, problems
from marketplace.pages import portraits, threads
from marketplace.pages.sheets import Sheet
from marketplace.showcase import consents, previews, publication, resemblance, terms
from marketplace.templatetags import scrubbing, wording
from notary import statements


@require_safe
def show(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Show a dataset: its newest offered version, or the one that `?version=` names."""
    dataset = visible(request, organization, slug)
    is_member = publication.is_member(user=request.user, dataset=dataset)
    versions = list(publication.versions(dataset=dataset, is_member=is_member))
    context: dict[str, Any] = {
        "dataset": dataset,
        "is_member": is_member,
        "can_change": is_member and has_perm("ingestion.change_dataset", request.user, dataset),
        "studio": f"/studio/{dataset.organization.slug}/{dataset.slug}/",
        "versions": versions,
        "open_version": dataset.versions.open().first() if is_member else None,
        "resemblance": resemblance.of_dataset(dataset=dataset),
    }
    if not versions:
        version = dataset.versions.newest()
        stations = threads.of_draft(version, dataset.organization) if version else {}
        return render(request, "pages/datasets/draft.html", context | {"stations": stations})
    version = choose_version(versions, request.GET.get("version", ""))
    version.dataset = dataset
    offer = request.GET.get("offer", "")
    return render(request, "pages/datasets/show.html", context | portrait(version, offer))


def portrait(version: Version, offer: str) -> dict[str, Any]:
    """Put together what the page of a sealed version shows."""
    sealed = releases.seal_of(version=version)
    consent = consents.of_sealed(version=version, release=sealed.release)
    sheets = [Sheet(one) for one in terms.of_version(version=version)]
    chosen = terms.choose([sheet.terms for sheet in sheets], offer)
    return {
        "version": version,
        "release": sealed.release,
        "entry": sealed.statement.entry,
        "consent": consent,
        "consent_state": consent.state,
        "stations": threads.of_version(
            version,
            release=sealed.release,
            consent_state=consent.state,
            offers=[sheet.offer for sheet in sheets],
        ),
        "sheets": sheets,
        "chosen": Sheet(chosen) if chosen else None,
        "clips": previews.clips(version=version),
        "excerpts": previews.excerpts(version=version),
        "jurisdictions": [wording.country(code) for code in consent.jurisdictions],
        "figures": portraits.figures_of(version),
        "scrubbed": scrubbing.told(version.quality.get("scrubbing") or ()),
        "activities": portraits.activities_of(sealed.release),
        "preview_ms": previews.PREVIEW_MS,
    }


def choose_version(versions: list[Version], wanted: str) -> Version:
    """Return the version that the address names, or the newest that was offered.

    Http404 for one there isn't.
    """
    if not wanted:
        offered = (one for one in versions if one.is_offered)  # type: ignore[attr-defined]  # annotated
        return next(offered, versions[0])
    for version in versions:
        if str(version.number) == wanted:
            return version
    raise Http404


@require_safe
def listen(
    request: HttpRequest, organization: str, slug: str, number: int, clip: int
) -> HttpResponseBase:
    """Stream one of the clips that anybody may hear."""
    version = sealed_version(request, organization, slug, number)
    file = previews.audio_file(version=version, number=clip)
    if file is None:
        raise Http404
    name = file.path.rpartition("/")[2]
    return kept.hand_out(
        request, blob=file.blob, media_type=file.media_type, name=name, inline=True
    )


@require_safe
def croissant(request: HttpRequest, organization: str, slug: str) -> HttpResponse:
    """Hand out the Croissant description of the version that is shown, as it was sealed."""
    dataset = visible(request, organization, slug)
    is_member = publication.is_member(user=request.user, dataset=dataset)
    version = publication.newest(dataset=dataset, is_member=is_member)
    if version is None:
        raise Http404
    try:
        document = releases.croissant(version=version)
    except BytesDamaged as error:
        return problems.respond(error)
    answer = HttpResponse(document, content_type="application/ld+json")
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


@require_safe
def manifest(
    request: HttpRequest, organization: str, slug: str, number: int, name: str
) -> HttpResponse:
    """Hand out a signed paper of a release: the attestation, its bundle or its log proof."""
    version = sealed_version(request, organization, slug, number)
    if name not in MEDIA_TYPES or not name.startswith("manifest."):
        raise Http404
    papers = statements.documents(statement=releases.seal_of(version=version).statement)
    answer = HttpResponse(papers[name], content_type=MEDIA_TYPES[name])
    filename = f"{dataset_name(version.dataset)}-{number}.{name}"
    disposition = content_disposition_header(as_attachment=True, filename=filename)
    answer["Content-Disposition"] = str(disposition)
    return answer


def dataset_name(dataset: Dataset) -> str:
    """Return a name for files about a dataset."""
    return f"{dataset.organization.slug}-{dataset.slug}"


def visible(request: HttpRequest, organization: str, slug: str) -> Dataset:
    """Return a dataset that the reader may see; Http404 for others, there or not."""
    dataset = publication.find(user=request.user, organization=organization, slug=slug)
    if dataset is None:
        raise Http404
    return dataset


def sealed_version(request: HttpRequest, organization: str, slug: str, number: int) -> Version:
    """Return a sealed version of a dataset that the reader may see, or Http404."""
    dataset = visible(request, organization, slug)
    is_member = publication.is_member(user=request.user, dataset=dataset)
    versions: QuerySet[Version] = publication.versions(dataset=dataset, is_member=is_member)
    version = versions.filter(number=number).first()
    if version is None:
        raise Http404
    version.dataset = dataset
    return version
