"""The addresses of the native API, the log, the status lists, the keys and the health checks."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path, register_converter
from django.urls.converters import StringConverter
from django.utils.translation import gettext as _

from marketplace.api import (
    acts,
    consent,
    datasets,
    docs,
    grants,
    health,
    history,
    licenses,
    log,
    me,
    offers,
    orders,
    outlook,
    quotas,
    recordings,
    review,
    status,
    uploads,
    verify,
    versions,
    wellknown,
)
from marketplace.http import problems


class Digest(StringConverter):
    """A SHA-256 in lower-case hex."""

    regex = "[0-9a-f]{64}"


register_converter(Digest, "sha256")


def nothing(request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001 - a view
    """Answer for addresses that the API does not have."""
    message = _("The API has no address %(path)s. /api/v1/docs/ lists those it has.")
    return problems.answer(problems.document("not-found", 404, message % {"path": request.path}))


app_name = "api"
DATASET = "datasets/<slug:org>/<slug:slug>"
VERSION = f"{DATASET}/versions/<int:number>"
CONSENT = f"{DATASET}/consent"

native = [
    path("me", me.Me.as_view(), name="me"),
    path("datasets", datasets.Datasets.as_view(), name="datasets"),
    path(DATASET, datasets.OneDataset.as_view(), name="dataset"),
    path(f"{DATASET}/history", history.History.as_view(), name="history"),
    path(f"{DATASET}/versions", versions.Versions.as_view(), name="versions"),
    path(VERSION, versions.OneVersion.as_view(), name="version"),
    path(f"{VERSION}/process", versions.Process.as_view(), name="process"),
    path(f"{VERSION}/outlook", outlook.VersionOutlook.as_view(), name="outlook"),
    path(f"{VERSION}/finish-review", versions.FinishReview.as_view(), name="finish-review"),
    path(f"{VERSION}/withdraw", versions.Withdraw.as_view(), name="version-withdraw"),
    path(f"{VERSION}/left-out", acts.LeftOut.as_view(), name="left-out"),
    path(f"{VERSION}/left-out/<slug:pseudonym>", acts.OneLeftOut.as_view(), name="one-left-out"),
    path(
        f"{VERSION}/leave-out-uncovered",
        acts.LeaveOutUncovered.as_view(),
        name="leave-out-uncovered",
    ),
    path(
        f"{VERSION}/leave-out-unwritten",
        acts.LeaveOutUnwritten.as_view(),
        name="leave-out-unwritten",
    ),
    path(f"{VERSION}/decisions", acts.Decisions.as_view(), name="decisions"),
    path(f"{VERSION}/undo", acts.UndoOne.as_view(), name="undo"),
    path(f"{VERSION}/recordings/<int:recording_id>", recordings.Place.as_view(), name="place"),
    path("recordings/<int:recording_id>/heard", recordings.Heard.as_view(), name="heard"),
    path(f"{VERSION}/findings", review.Findings.as_view(), name="findings"),
    path(f"{VERSION}/segments", review.Segments.as_view(), name="segments"),
    path("findings/<int:finding_id>/decision", review.Decide.as_view(), name="decision"),
    path(
        "segments/<int:segment_id>/findings",
        review.SegmentFindings.as_view(),
        name="segment-findings",
    ),
    path("segments/<int:segment_id>/review", review.ReviewSegment.as_view(), name="segment-review"),
    path("segments/<int:segment_id>/audio", review.SegmentAudio.as_view(), name="segment-audio"),
    path("uploads", uploads.Uploads.as_view(), name="uploads"),
    path("uploads/<uuid:upload_id>", uploads.OneUpload.as_view(), name="upload"),
    path("uploads/<uuid:upload_id>/complete", uploads.Completion.as_view(), name="complete"),
    path("uploads/<uuid:upload_id>/parts/<int:number>", uploads.Part.as_view(), name="part"),
    path(CONSENT, consent.Consents.as_view(), name="consents"),
    path(f"{CONSENT}/import", consent.Import.as_view(), name="consent-import"),
    path(f"{CONSENT}/<uuid:record_id>", consent.OneConsent.as_view(), name="consent"),
    path(f"{CONSENT}/<uuid:record_id>/withdraw", consent.Withdrawal.as_view(), name="withdraw"),
    path(f"{CONSENT}/<uuid:record_id>/void", consent.Voiding.as_view(), name="void"),
    path(
        f"{DATASET}/speakers/<slug:pseudonym>/withdraw",
        consent.SpeakerWithdrawal.as_view(),
        name="speaker-withdraw",
    ),
    path("consent-template.csv", consent.Template.as_view(), name="consent-template"),
    path("quotas", quotas.Quotas.as_view(), name="quotas"),
    path("licenses", licenses.Licenses.as_view(), name="licenses"),
    path("licenses/<str:profile>", licenses.OneLicense.as_view(), name="license"),
    path(f"{DATASET}/offers", offers.DatasetOffers.as_view(), name="offers"),
    path("offers/<int:offer_id>", offers.OneOffer.as_view(), name="offer"),
    path("offers/<int:offer_id>/quote", offers.Quote.as_view(), name="quote"),
    path("orders", orders.Orders.as_view(), name="orders"),
    path("orders/<uuid:order_id>", orders.OneOrder.as_view(), name="order"),
    path("grants", grants.Grants.as_view(), name="grants"),
    path("grants/<uuid:grant_id>", grants.OneGrant.as_view(), name="grant"),
    path("grants/<uuid:grant_id>/release", grants.Release.as_view(), name="grant-release"),
    path(
        "grants/<uuid:grant_id>/files/<sha256:sha256>/<path:path>",
        grants.ReleaseFile.as_view(),
        name="grant-file",
    ),
    path("verify", verify.Verify.as_view(), name="verify"),
    path("schema/", docs.Schema.as_view(), name="schema"),
    path("docs/", docs.browse, name="docs"),
    re_path(r"^(?P<rest>.*)$", nothing),
]

urlpatterns = [
    path("api/v1/", include(native)),
    path("log/checkpoint", log.checkpoint, name="log-checkpoint"),
    re_path(log.TILE, log.tile, name="log-tile"),
    re_path(log.ENTRIES, log.bundle, name="log-bundle"),
    path("log/entries/<int:index>", log.entry, name="log-entry"),
    path("status/", status.index, name="status-lists"),
    path("status/<slug:name>/<int:number>", status.token, name="status-list"),
    path("status/<slug:name>/<int:number>/changes", status.changes, name="status-changes"),
    path(".well-known/commonhold/trusted_root.json", wellknown.trusted_root, name="trusted-root"),
    path(
        ".well-known/commonhold/trusted_root/<int:version>.json",
        wellknown.trusted_root_version,
        name="trusted-root-version",
    ),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]
