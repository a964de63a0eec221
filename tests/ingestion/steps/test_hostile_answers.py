"""What a step leaves behind is read as a stranger's: its names, its links, its lengths."""

import json
import os
from pathlib import Path

import pytest

from ingestion.pipeline import answers


def answer(out: Path, *files: object) -> None:
    """Write an answer into a step's folder."""
    tool = {"name": "a", "version": "1"}
    (out / "result.json").write_text(json.dumps({"output": {}, "files": list(files), "tool": tool}))


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/passwd", "link", "folder/deep", "folder", "pipe", "hard", "missing", "",
     ".", "a\x00b", "a\\b", "result.json", 7, None, "whole/../../secret"],
)  # fmt: skip
def test_a_name_in_an_answer_never_leads_elsewhere(tmp_path, secret, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / "link").symlink_to(secret)
    (out / "hard").hardlink_to(secret)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "deep").write_text("kept")
    (out / "folder").symlink_to(elsewhere)
    (out / "whole").mkdir()
    os.mkfifo(out / "pipe")
    answer(out, name)
    with pytest.raises(answers.AnswerRefused):
        answers.read(out)


def test_a_file_is_never_named_twice_in_an_answer(tmp_path):
    (tmp_path / "clip.flac").write_text("sound")
    answer(tmp_path, "clip.flac", "clip.flac")
    with pytest.raises(answers.AnswerRefused):
        answers.read(tmp_path)


def test_an_answer_is_never_read_through_a_link_or_beyond_its_limit(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "result.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(answers.AnswerRefused):
        answers.read(tmp_path)
    (tmp_path / "result.json").unlink()
    os.mkfifo(tmp_path / "result.json")
    with pytest.raises(answers.AnswerRefused):
        answers.read(tmp_path)
    (tmp_path / "result.json").unlink()
    monkeypatch.setattr(answers, "MOST_BYTES", 100)
    answer(tmp_path, *[f"clip{number}" for number in range(20)])
    with pytest.raises(answers.AnswerRefused):
        answers.read(tmp_path)


def test_an_honest_answer_is_read(tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "0001.flac").write_text("sound")
    answer(tmp_path, "clips/0001.flac")
    assert answers.read(tmp_path)["files"] == ["clips/0001.flac"]
    assert answers.read(tmp_path / "clips") == {}
