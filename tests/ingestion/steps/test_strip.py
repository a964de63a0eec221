"""Nothing but samples leaves: no tag, no picture, no chapter of the source reaches a clip."""

import pytest
import soundfile

from ingestion.pipeline.steps import flac
from tests.ingestion.steps import sounds

SEGMENTS = [
    sounds.segment("one two", [(0, 300), (300, 700)], start_ms=0, end_ms=700),
    sounds.segment("three", [(800, 1200)], start_ms=750, end_ms=1400),
]
DECISIONS = [{"segment": 0, "kind": "phone", "start_char": 4, "end_char": 7}]


def stripped(folder, name):
    source = folder / name
    source.write_bytes(sounds.labeled(name))
    parameters = {"redact": {"segments": SEGMENTS, "decisions": DECISIONS}}
    return sounds.chain(source, folder, "decode", "redact", "strip", parameters=parameters)


def canaries_in(data: bytes) -> list[str]:
    return [canary for canary in sounds.CANARIES if canary.encode() in data]


@pytest.mark.parametrize("name", sounds.RECIPES)
def test_only_streaminfo_remains_and_the_samples_are_the_same(tmp_path, name):
    assert canaries_in(sounds.labeled(name)), "the source must carry what is to be removed"
    done = stripped(tmp_path, name)
    assert done["strip"].files == ("clips/0001.flac", "clips/0002.flac")
    for file in done["strip"].files:
        clip, before = tmp_path / "strip" / file, tmp_path / "redact" / file
        assert flac.block_types(clip) == [flac.STREAMINFO]
        assert canaries_in(clip.read_bytes()) == []
        now, rate = soundfile.read(clip, dtype="int32", always_2d=True)
        then, rate_then = soundfile.read(before, dtype="int32", always_2d=True)
        assert rate == rate_then
        assert (now == then).all()
        assert now.any()


@pytest.mark.parametrize("name", sounds.RECIPES)
def test_no_step_on_the_way_keeps_a_label_of_the_source(tmp_path, name):
    done = stripped(tmp_path, name)
    for step, result in done.items():
        assert canaries_in(repr(result.output).encode()) == []
        for file in result.files:
            assert canaries_in((tmp_path / step / file).read_bytes()) == []


def test_what_was_removed_is_counted(tmp_path):
    done = stripped(tmp_path, "voice.mp3")
    decoded, output = done["decode"].output, done["strip"].output
    assert output["removed"] == {"tags": decoded["tags"], "pictures": 1, "chapters": 2}
    sizes = [(tmp_path / "strip" / clip["file"]).stat().st_size for clip in output["clips"]]
    assert [clip["bytes"] for clip in output["clips"]] == sizes


def test_every_kind_of_metadata_block_is_taken_off_a_flac(tmp_path):
    samples = sounds.noise(seconds=0.3)
    plain = sounds.write(tmp_path / "plain.flac", samples).read_bytes()
    found, start = flac.blocks(plain)
    labels = b"".join(bytes([kind, 0, 0, 4]) + b"spam" for kind in (1, 2, 3, 4, 5, 6, 126))
    info = bytes([flac.STREAMINFO, 0, 0, 34]) + found[0][1]
    dressed = b"fLaC" + info + labels + bytes([flac.LAST | 1, 0, 0, 0]) + plain[start:]
    bare = flac.bare(dressed)
    assert b"spam" not in bare
    (tmp_path / "bare.flac").write_bytes(bare)
    assert flac.block_types(tmp_path / "bare.flac") == [flac.STREAMINFO]
    now, _ = soundfile.read(tmp_path / "bare.flac", dtype="int16")
    then, _ = soundfile.read(tmp_path / "plain.flac", dtype="int16")
    assert (now == then).all()


@pytest.mark.parametrize("stream", [b"", b"fLaC", b"fLaC\x00\x00\x00\x22abc", b"RIFF" * 20])
def test_what_is_no_flac_is_not_passed_on(stream):
    with pytest.raises(flac.NotFlacError):
        flac.bare(stream)


def test_a_flac_that_does_not_begin_with_streaminfo_is_not_passed_on():
    with pytest.raises(flac.NotFlacError, match="not the first block"):
        flac.bare(b"fLaC" + bytes([flac.LAST | 4, 0, 0, 2]) + b"xx")
