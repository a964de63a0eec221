"""What lets `datasets` read audio files from a disk without Torch.

From version 4 on it wants torchcodec before it writes an audio column down, and then uses nothing
of it for files that lie there already. Empty classes stand for both.
"""

from pathlib import Path

CLASSES = {
    "torch.py": ("Tensor", "Generator"),
    "torchcodec/encoders.py": ("AudioEncoder",),
    "torchcodec/decoders.py": ("AudioDecoder", "VideoDecoder"),
}


def stand_ins(home: Path) -> str:
    """Return a folder for PYTHONPATH, made in `home`."""
    folder = home / "stand-ins"
    for name, classes in CLASSES.items():
        module = folder / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text("".join(f"class {one}: ...\n" for one in classes))
    return str(folder)
