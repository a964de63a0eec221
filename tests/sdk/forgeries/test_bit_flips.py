"""One bit that changed, anywhere in a release, does not pass."""

import random
import shutil

import pytest
from commonhold import verify

from tests.sdk.verified import LATER

FLIPS = 80
# The same bits in every run, so that a failure can be looked at; others where the number is changed.
SEED = 20261121


def files_of(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


NAMES = (
    "LICENSE.txt",
    "README.md",
    "audio/morning/0001.flac",
    "audio/morning/0002.flac",
    "consent-status.jwt",
    "croissant.json",
    "files.jsonl",
    "manifest.dsse.json",
    "manifest.sigstore.json",
    "manifest.tlog-proof",
    "metadata.jsonl",
    "text/notes.jsonl",
    "trusted_root.json",
)


def test_every_file_of_the_release_is_flipped_and_that_makes_a_thousand(pristine):
    assert tuple(map(str, files_of(pristine))) == NAMES
    assert len(NAMES) * FLIPS >= 1000


@pytest.mark.parametrize("name", NAMES)
def test_no_flipped_bit_passes(name, pristine, site, tmp_path):
    folder = shutil.copytree(pristine, tmp_path / "release")
    path, trust = folder / name, site.trust()
    original = path.read_bytes()
    dice = random.Random(f"{SEED} {name}")
    bits = dice.sample(range(len(original) * 8), min(FLIPS, len(original) * 8))
    for bit in bits:
        flipped = bytearray(original)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert not verify.verify(folder, trust=trust, now=LATER).passed, f"bit {bit}"
    path.write_bytes(original)
    assert verify.verify(folder, trust=trust, now=LATER).passed
