"""Files that arrive while others are announced: a browser sends several at once."""

from functools import partial

import pytest
from django.db import transaction

from ingestion.archive import uploads, versions
from ingestion.models import Upload
from tests import at_once, walks

pytestmark = pytest.mark.django_db(transaction=True)


def arrived(version, path: str, data: bytes) -> Upload:
    """An upload of which every part is there, and that is not completed yet."""
    begun = walks.begin(version, path, data)
    walks.send(begun, 1, data)
    return begun


def test_a_file_is_completed_while_the_next_is_announced():
    version = walks.draft()
    by = walks.editor(version)
    upload = arrived(version, "morning.txt", b"Good morning from the valley.")
    with transaction.atomic():
        held = versions.open_draft(dataset=version.dataset, by=by)
        completing = at_once.Call(partial(uploads.complete, upload=upload))
        completing.thread.join(5)
        uploads.begin(version=held, path="evening.txt", size=10, by=by)
    assert completing.result().state == Upload.State.COMPLETE
    assert version.files.get().recording.name == "morning.txt"


def test_two_files_are_completed_at_once():
    version = walks.draft()
    texts = {f"{name}.txt": f"Good {name}.".encode() for name in ("morning", "evening", "night")}
    begun = [arrived(version, path, data) for path, data in texts.items()]
    done = at_once.all_of(*(partial(uploads.complete, upload=one) for one in begun))
    assert [one.state for one in done] == [Upload.State.COMPLETE] * 3
    assert version.files.count() == 3
