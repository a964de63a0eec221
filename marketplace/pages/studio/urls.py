"""The addresses of the studio."""

from django.urls import path

from marketplace.pages.studio import (
    consent,
    consent_entry,
    earnings,
    files,
    home,
    offers,
    originals,
    pipeline,
    recording,
    review,
)

app_name = "studio"
PLACE = "<slug:org>/<slug:slug>/"

urlpatterns = [
    path("", home.index, name="index"),
    path("new/", home.new_dataset, name="new"),
    path("earnings/", earnings.show, name="earnings"),
    path(PLACE, home.overview, name="overview"),
    path(f"{PLACE}versions/", home.open_version, name="open_version"),
    path(f"{PLACE}files/", files.show, name="files"),
    path(f"{PLACE}files/upload/", files.upload, name="upload"),
    path(f"{PLACE}files/<int:pk>/remove/", files.remove, name="remove_file"),
    path(f"{PLACE}uploads/<uuid:pk>/cancel/", files.cancel, name="cancel_upload"),
    path(f"{PLACE}originals/<int:pk>/", originals.original, name="original"),
    path(f"{PLACE}consent/", consent.show, name="consent"),
    path(f"{PLACE}consent/new/", consent_entry.new, name="new_consent"),
    path(f"{PLACE}consent/import/", consent_entry.import_table, name="import_consent"),
    path(f"{PLACE}consent/template.csv", consent_entry.template, name="consent_template"),
    path(f"{PLACE}consent/<uuid:pk>/", consent.record, name="consent_record"),
    path(f"{PLACE}consent/<uuid:pk>/evidence/", consent.evidence, name="evidence"),
    path(f"{PLACE}consent/<uuid:pk>/withdraw/", consent.withdraw, name="withdraw"),
    path(f"{PLACE}pipeline/", pipeline.show, name="pipeline"),
    path(f"{PLACE}pipeline/live/", pipeline.live, name="pipeline_live"),
    path(f"{PLACE}pipeline/start/", pipeline.start, name="start"),
    path(f"{PLACE}pipeline/runs/<uuid:pk>/retry/", pipeline.retry, name="retry"),
    path(f"{PLACE}review/", review.show, name="review"),
    path(f"{PLACE}review/live/", review.live, name="review_live"),
    path(f"{PLACE}review/finish/", review.finish, name="finish"),
    path(f"{PLACE}review/leave-out/", review.leave_out, name="leave_out"),
    path(f"{PLACE}review/<int:pk>/", recording.show, name="recording"),
    path(f"{PLACE}review/findings/<int:pk>/", recording.decide, name="decide"),
    path(f"{PLACE}review/segments/<int:pk>/", recording.review_segment, name="review_segment"),
    path(f"{PLACE}review/segments/<int:pk>/findings/", recording.add_finding, name="add_finding"),
    path(f"{PLACE}offers/", offers.show, name="offers"),
    path(f"{PLACE}offers/new/<str:profile>/", offers.new, name="new_offer"),
    path(f"{PLACE}offers/<int:pk>/close/", offers.close, name="close_offer"),
]
