"""Hugging Face's `datasets` reads a download by its front matter, with nothing said about it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import sealed, torchless, trade

pytestmark = pytest.mark.django_db

LOAD = """
import json, sys
from datasets import load_dataset

rows = load_dataset(*sys.argv[1:2], data_dir=sys.argv[2] or None, split="train")
print(json.dumps({"columns": rows.column_names, "rows": rows.data.to_pylist()}))
"""
PLAIN = """
import json, sys
from datasets import load_dataset

rows = load_dataset("json", data_files=sys.argv[1] + "/metadata.jsonl", split="train")
print(json.dumps(list(rows)))
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """A download in which some clips have redactions, some none."""
    said = (
        *sealed.MORNING,
        sealed.Said("Later, you call one two three.", kind="phone", finding="one two three"),
    )
    return trade.write(trade.grant(trade.offer(sealed.version(said=said))), tmp_path / "release")


def answer(script: str, *arguments: object, home: Path):
    """What a script of a trainer prints, on a machine of theirs without a network."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": torchless.stand_ins(home),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def written(folder: Path) -> list[dict]:
    """The rows of metadata.jsonl."""
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("by", ["front matter", "audiofolder"])
def test_load_dataset_never_loses_a_row_or_a_column(folder, tmp_path, by):
    arguments = (folder, "") if by == "front matter" else ("audiofolder", folder)
    found = answer(LOAD, *arguments, home=tmp_path / "home")
    rows = written(folder)
    assert {bool(row["redactions"]) for row in rows} == {True, False}
    assert set(found["columns"]) == {*rows[0], "audio"} - {"file_name"}
    read = {
        Path(row.pop("audio")["path"]).relative_to(folder).as_posix(): row for row in found["rows"]
    }
    assert read == {row.pop("file_name"): row for row in rows}


def test_the_table_alone_is_read_without_anything_for_audio(folder, tmp_path):
    assert answer(PLAIN, folder, home=tmp_path / "home") == written(folder)
