"""Damaged and malicious files get a verdict: taken or refused, never a crash, never a wait."""

import json
import random
import time
from pathlib import Path

import pytest

from ingestion.archive.formats import media
from ingestion.pipeline.contract import RefusedError
from tests.ingestion.steps import sounds

SEED = 20_261_121
PER_FORMAT = 35
NAMES = tuple(sounds.RECIPES)
DONE, REFUSED = 0, 3
# Decodes many files in one child, as the step's own process would one; a line of JSON each. It
# is not isolated: a process that may open one job's files may not open the next one's.
DRIVER = """
import faulthandler, json, sys, time, traceback
from pathlib import Path
from ingestion.pipeline.steps.__main__ import attempt, read_job

for path in sys.argv[1:]:
    faulthandler.dump_traceback_later(20, exit=True)
    began = time.monotonic()
    try:
        job = read_job(Path(path))
        job.workdir.mkdir()
        code = attempt(job)
    except BaseException:
        traceback.print_exc()
        code = 1
    print(json.dumps([path, code, round(time.monotonic() - began, 1)]), flush=True)
"""


def flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice([1, 4, 40, 400])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def spoil_header(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice([1, 2, 6])):
        at = chance.randrange(min(300, len(data) - 8))
        size = chance.choice([1, 2, 4, 8])
        data[at : at + size] = bytes([chance.choice([0, 1, 0x7F, 0x80, 0xFF])]) * size


def write_noise(data: bytearray, chance: random.Random) -> None:
    at, size = chance.randrange(len(data)), chance.choice([16, 256, 2048])
    data[at : at + size] = chance.randbytes(min(size, len(data) - at))


def insert(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = chance.randbytes(chance.choice([1, 7, 500]))


def cut_out(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.choice([1, 3, 100, 1000])]


def cut_off(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(1, len(data)) :]


def repeat(data: bytearray, chance: random.Random) -> None:
    at, size = chance.randrange(len(data)), chance.choice([8, 64, 1000])
    data[at:at] = data[at : at + size] * chance.choice([1, 20])


CHANGES = (flip_bits, spoil_header, spoil_header, write_noise, insert, cut_out, cut_off, repeat)


def mutants(name: str) -> list[bytes]:
    """Damaged versions of a short recording with tags, chapters and a picture; ever the same."""
    chance = random.Random(f"{SEED} {name}")
    whole = sounds.labeled(name)
    found = []
    for _ in range(PER_FORMAT):
        data = bytearray(whole)
        for change in chance.sample(CHANGES, chance.choice([1, 1, 2])):
            change(data, chance)
        found.append(bytes(data))
    return found


def refusal_of(path: Path, name: str) -> str | None:
    """The message by which a file is refused, None when it is taken."""
    try:
        media.sniff(path, name)
    except RefusedError as refused:
        return refused.message
    return None


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_recording_is_judged_at_a_glance(tmp_path, name):
    path = tmp_path / "damaged"
    for data in mutants(name):
        path.write_bytes(data)
        began = time.process_time()
        refusal = refusal_of(path, name)
        assert refusal is None or f"«{name}»" in refusal
        assert time.process_time() - began < 1


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_recording_is_decoded_or_refused_but_never_crashes(tmp_path, name):
    jobs = [
        prepare(tmp_path / str(number), data, name) for number, data in enumerate(mutants(name))
    ]
    done = sounds.run_python("-c", DRIVER, *map(str, jobs), timeout=300)
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{len(verdicts)} judged, then: {done.stderr[-2000:]}"
    assert [path for path, _, _ in verdicts] == [str(job) for job in jobs]
    assert {path: code for path, code, _ in verdicts if code not in {DONE, REFUSED}} == {}
    assert max(seconds for _, _, seconds in verdicts) < 20
    for path, code, _ in verdicts:
        result = json.loads((Path(path).parent / "out" / "result.json").read_bytes())
        if code == REFUSED:
            assert f"«{name}»" in result["error"]["message"]
        else:
            assert 0 < result["output"]["duration_ms"] < 60_000


def prepare(folder: Path, data: bytes, name: str) -> Path:
    """Write a file and the job that decodes it."""
    folder.mkdir()
    (folder / "blob").write_bytes(data)
    job = folder / "job.json"
    job.write_text(
        json.dumps(
            {
                "step": "decode",
                "source": str(folder / "blob"),
                "name": name,
                "workdir": str(folder / "out"),
            }
        )
    )
    return job


def test_the_mutants_are_damaged_in_ways_that_both_verdicts_see(tmp_path):
    path = tmp_path / "damaged"
    verdicts = []
    for name in NAMES:
        for data in mutants(name):
            path.write_bytes(data)
            verdicts.append(refusal_of(path, name) is None)
    assert len(verdicts) == PER_FORMAT * len(NAMES) >= 200
    assert min(verdicts.count(True), verdicts.count(False)) >= 30


@pytest.mark.parametrize("form", ["talk.txt", "talk.jsonl", "talk.csv"])
def test_a_damaged_text_is_read_or_refused(tmp_path, form):
    rows = {
        "talk.txt": "Amina: habari za leo?\nJuma: nzuri, mtoto wa shule… sana!\n" * 20,
        "talk.jsonl": '{"text": "ñandú «sí»", "start": 1.5, "end": "0:00:02"}\n' * 20,
        "talk.csv": 'start,end,text\n0,1,"uno, dos"\n1,2,"tres ""cuatro"""\n' + "2,3,seis\n" * 20,
    }
    chance = random.Random(f"{SEED} {form}")
    path = tmp_path / "damaged"
    for _ in range(60):
        data = bytearray(rows[form].encode())
        chance.choice(CHANGES)(data, chance)
        path.write_bytes(data)
        refusal = refusal_of(path, form)
        assert refusal is None or f"«{form}»" in refusal


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("talk.jsonl", b'{"text": "' + b"\\" * 999_999),
        ("talk.jsonl", b'{"text": ' + b'"' * 999_999),
        ("talk.jsonl", b'"' + b'\\"' * 499_999),
        ("talk.jsonl", b"{" * 1_000_000),
        ("talk.jsonl", b'{"text": "a", "start": ' + b"9" * 900_000 + b"}"),
        ("talk.csv", b"text\n" + b'"' * 999_999),
        ("talk.csv", b"text" + b"," * 999_999),
        ("talk.csv", b"text," + b"a," * 400_000 + b"\n" + b"x," * 400_000),
        ("talk.txt", b"a " * 520_000),
        ("talk.txt", b"\r" * 1_000_000),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:24]),
)
def test_a_monstrous_line_is_judged_in_seconds(tmp_path, name, line):
    path = tmp_path / "damaged"
    path.write_bytes(line)
    began = time.process_time()
    refusal_of(path, name)
    assert time.process_time() - began < 5


def test_a_flac_that_swells_two_hundredfold_is_decoded_in_little_memory(tmp_path):
    silence = tmp_path / "long.flac"
    sounds.ffmpeg("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "900", silence)
    assert silence.stat().st_size * 100 < 900 * 32_000
    code, result, stderr = sounds.child(
        {
            "step": "decode",
            "source": str(silence),
            "name": "long.flac",
            "workdir": str(tmp_path / "out"),
            "memory_mib": 1024,
        }
    )
    assert code == DONE, stderr
    assert result["output"]["duration_ms"] == 900_000


def test_a_long_recording_is_given_up_at_the_recipes_limit(tmp_path):
    silence = tmp_path / "long.flac"
    sounds.ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "3700", silence)
    code, result, _ = sounds.child(
        {
            "step": "decode",
            "source": str(silence),
            "name": "long.flac",
            "workdir": str(tmp_path / "out"),
            "parameters": {"max_hours": 1},
        }
    )
    assert (code, result["error"]["code"]) == (REFUSED, "too-long")
