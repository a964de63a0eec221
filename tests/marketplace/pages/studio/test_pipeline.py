"""Starting the machine, watching it, and what stopped."""

from ingestion import review
from ingestion.models import Finding, PipelineRun, Version
from ingestion.pipeline import jobs
from marketplace.pages.studio import pipeline
from tests import sealed
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address


def test_starting_makes_a_run_a_file_and_asks_one_worker_once_they_stand(
    browser, draft, django_capture_on_commit_callbacks
):
    stages.recording(draft)
    stages.recording(draft, path="evening.wav")
    with django_capture_on_commit_callbacks() as asked:
        response = browser.post(address(draft, "start"))
    draft.refresh_from_db()
    assert response["Location"] == address(draft, "pipeline")
    assert draft.state == Version.State.PROCESSING
    assert (PipelineRun.objects.count(), len(asked)) == (2, 1)


def test_a_version_without_files_is_not_started_and_the_page_says_why(browser, draft):
    response = browser.post(address(draft, "start"))
    assert response.status_code == 409
    assert "There is no recording or text" in response.content.decode()


def test_a_running_pipeline_is_asked_again_every_two_seconds(browser, station):
    version = stages.version_of(stages.working(sealed.dataset(station)))
    page = browser.get(address(version, "pipeline")).content.decode()
    part = browser.get(address(version, "pipeline_live"), headers={"HX-Request": "true"})
    assert 'hx-trigger="every 2s"' in page
    assert 'hx-trigger="every 2s"' in part.content.decode()
    assert "<html" not in part.content.decode()
    assert "Find where somebody speaks" in page
    assert "HX-Refresh" not in part


def test_a_pipeline_that_is_over_is_asked_no_more(browser, station):
    version = stages.in_review(sealed.dataset(station))
    page = browser.get(address(version, "pipeline")).content.decode()
    part = browser.get(address(version, "pipeline_live"), headers={"HX-Request": "true"})
    assert "hx-get" not in page
    assert part["HX-Refresh"] == "true"


def test_the_record_of_each_step_names_tool_version_and_digests(browser, station):
    version = stages.in_review(sealed.dataset(station))
    page = browser.get(address(version, "pipeline")).content.decode()
    step = PipelineRun.objects.get().steps.get(name="decode")
    assert step.tool in page
    assert step.tool_version in page
    assert step.input_sha256 in page
    assert step.output_sha256 in page


def test_what_stopped_is_told_in_words_with_what_to_do(browser, station):
    version = stages.version_of(stages.working(sealed.dataset(station), error="It ends after 4 s."))
    page = browser.get(address(version, "pipeline")).content.decode()
    assert page.count("It ends after 4 s.") == 1
    assert "Try again" in page
    assert "Remove the file" in page


def test_a_stopped_run_is_tried_again(browser, station, django_capture_on_commit_callbacks):
    run = stages.working(sealed.dataset(station), error="The disk was full.")
    with django_capture_on_commit_callbacks() as asked:
        browser.post(address(stages.version_of(run), "retry", run.pk))
    run.refresh_from_db()
    assert run.state == PipelineRun.State.PENDING
    assert len(asked) == 1


def test_a_run_that_works_is_not_tried_again(browser, station):
    run = stages.working(sealed.dataset(station))
    response = browser.post(address(stages.version_of(run), "retry", run.pk))
    assert response.status_code == 409
    assert "is not stopped, so it can&#x27;t be tried again" in response.content.decode()


def test_a_file_that_cannot_be_processed_is_taken_out_from_the_pipeline(browser, station):
    run = stages.working(sealed.dataset(station), error="It is damaged.")
    version = stages.version_of(run)
    response = browser.post(address(version, "remove_file", run.recording.pk), {"from": "pipeline"})
    version.refresh_from_db()
    assert response["Location"] == address(version, "pipeline")
    assert version.state == Version.State.DRAFT


def test_a_run_of_another_dataset_is_not_found(browser, draft):
    other = stages.working(error="It is damaged.")
    assert browser.post(address(draft, "retry", other.pk)).status_code == 404


def applying(station) -> tuple[Version, PipelineRun]:
    """A version of two files whose review is finished; the work on the second has stopped."""
    version = stages.in_review(sealed.dataset(station))
    sealed.add(version, path="noon.wav")
    by = version.created_by
    for finding in Finding.objects.filter(segment__recording__files__version=version, state="open"):
        review.decide(finding=finding, redact=True, by=by)
    review.finish(version=version, by=by)
    version.refresh_from_db()
    last = jobs.of(version, phase=PipelineRun.Phase.FINAL).order_by("recording__number").last()
    PipelineRun.objects.filter(pk=last.pk).update(
        state="failed", error=stages.Damaged("The disk was full.").as_record()
    )
    return version, last


def test_a_file_that_stopped_before_the_seal_is_never_beyond_the_last_page(
    browser, station, monkeypatch
):
    version, _run = applying(station)
    monkeypatch.setattr(pipeline, "PER_PAGE", 1)

    first = browser.get(address(version, "seal")).content.decode()
    assert "The disk was full." not in first
    assert "page=2" in first
    second = browser.get(address(version, "seal"), {"page": 2}).content.decode()
    assert "The disk was full." in second
    assert "Try again" in second


def test_trying_again_before_the_seal_leads_back_to_the_seal(browser, station):
    version, run = applying(station)

    answer = browser.post(address(version, "retry", run.pk))
    assert answer["Location"] == address(version, "seal")


def test_a_version_whose_review_is_finished_is_in_nobodys_hands_any_more(browser, station):
    version, _run = applying(station)

    told = browser.get(f"/api/v1/datasets/{version.dataset}/versions/{version.number}").json()
    assert told["review"] is None
