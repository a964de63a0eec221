"""A Whisper checkpoint in a step's own process, and files that only call themselves one."""

import os
import pickle
import zipfile

import torch

from tests.ingestion.steps import sounds

DONE, USAGE = 0, 2

HEARD = [[200, 1800]]


class Trap:
    """A pickle that would run a command when somebody loads it."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def hear(folder, checkpoint, **parameters):
    """Transcribe two seconds of noise by the text step in a child, as the pipeline does."""
    source = sounds.write(folder / "talk.wav", sounds.noise(seconds=2))
    decoded = sounds.decoded(source, folder)
    return sounds.child(
        {
            "step": "text",
            "source": str(source),
            "name": "talk.wav",
            "workdir": str(folder / "text"),
            "language": "sw",
            "inputs": {
                "decode": decoded.output,
                "vad": {"windows": [[200, 1800]], "voiced": [[200, 1800]]},
            },
            "input_files": {"decode": {"analysis.flac": str(folder / "decode/analysis.flac")}},
            "parameters": {"engine": "whisper", "checkpoint": str(checkpoint), **parameters},
        },
        timeout=120,
    )


def test_a_checkpoint_is_heard_in_the_steps_own_process(checkpoint, tmp_path):
    code, result, stderr = hear(tmp_path, checkpoint)
    assert code == DONE, stderr
    assert len(result["tool"]["model_sha256"]) == 64
    output = result["output"]
    assert (output["method"], output["grade"]) == ("transcribed", "draft")
    words = [word for segment in output["segments"] for word in segment["words"]]
    assert words
    assert all(word["timed"] for word in words)
    assert all(200 <= word["start_ms"] < word["end_ms"] <= 1800 for word in words)


def test_a_file_that_is_no_checkpoint_is_named(tmp_path):
    stories = tmp_path / "stories.pt"
    stories.write_text("Once upon a time.")
    code, result, stderr = hear(tmp_path, stories)
    assert code == USAGE
    assert result["error"]["parameters"]["checkpoint"] == str(stories)
    assert "stories.pt is not a Whisper checkpoint" in stderr


def test_an_archive_without_a_model_is_no_checkpoint(tmp_path):
    archive = tmp_path / "archive.pt"
    with zipfile.ZipFile(archive, "w") as parts:
        parts.writestr("readme.txt", "nothing here")
    code, _, stderr = hear(tmp_path, archive)
    assert code == USAGE
    assert "archive.pt is not a Whisper checkpoint" in stderr


def test_another_models_weights_are_no_checkpoint(tmp_path):
    other = tmp_path / "other.pt"
    torch.save({"weights": torch.zeros(3)}, other)
    code, _, stderr = hear(tmp_path, other)
    assert code == USAGE
    assert "other.pt is not a Whisper checkpoint" in stderr


def test_a_checkpoint_that_would_run_a_program_is_not_loaded(tmp_path):
    trap, marker = tmp_path / "trap.pt", tmp_path / "ran"
    trap.write_bytes(pickle.dumps(Trap(marker)))
    code, _, stderr = hear(tmp_path, trap)
    assert code == USAGE
    assert "trap.pt is not a Whisper checkpoint" in stderr
    assert not marker.exists()


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    code, _, stderr = hear(tmp_path, tmp_path / "gone.pt")
    assert code == USAGE
    assert "There is no Whisper checkpoint at" in stderr
