"""What broken-off work left on the disk goes by itself."""

import os

from ingestion import tasks


def test_tidying_passes_over_what_is_gone(settings, tmp_path, db):
    settings.WORK_DIR = tmp_path
    (tmp_path / "gone").symlink_to("nowhere")  # Listed, and not there when it is looked at.
    (tmp_path / "left").mkdir()
    os.utime(tmp_path / "left", (0, 0))
    tasks.tidy_task()
    assert not (tmp_path / "left").exists()
