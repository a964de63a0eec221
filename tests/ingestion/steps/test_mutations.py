"""Damaged and hostile files: each gets a verdict, none a crash, none for ever."""

import json
import random
from pathlib import Path

import pytest

from ingestion.steps import media
from ingestion.steps.contract import RefusedError
from tests.ingestion.steps import sounds

COUNT = 200
SECONDS_EACH = 20
FORKING = Path(__file__).with_name("forking.py")


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Damage a file the way disks, radios and enemies do."""
    body = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5, 40])):
        position = chance.randrange(len(body))
        if chance.random() < 0.4:
            position = chance.randrange(min(len(body), 256))
        match chance.randrange(6):
            case 0:
                body[position] ^= 1 << chance.randrange(8)
            case 1:
                body[position : position + 4] = chance.choice([b"\xff" * 4, bytes(4), b"\x7f\xff"])
            case 2:
                del body[position : position + chance.randrange(1, 400)]
            case 3:
                body[position:position] = chance.randbytes(chance.randrange(1, 64))
            case 4:
                end = position + chance.randrange(1, 2000)
                body[position:position] = body[position:end]
            case _:
                body[position : position + 16] = chance.randbytes(16)
        body = body or bytearray(b"\0")
    return bytes(body)


def jobs(folder: Path) -> list[Path]:
    """200 mutated recordings, the same ones every time, and a decode job for each."""
    chance = random.Random(20_260_117)
    paths = []
    for number in range(COUNT):
        name = sorted(sounds.RECIPES)[number % len(sounds.RECIPES)]
        workdir = folder / f"{number:03}"
        workdir.mkdir()
        source = workdir / name
        source.write_bytes(mutated(sounds.sample(name), chance))
        job = {"step": "decode", "source": str(source), "workdir": str(workdir)}
        path = workdir / "job.json"
        path.write_text(json.dumps(job))
        paths.append(path)
    return paths


def test_every_mutated_recording_gets_a_verdict(tmp_path):
    paths = jobs(tmp_path)
    done = sounds.run_python(str(FORKING), str(SECONDS_EACH), *map(str, paths), timeout=300)
    verdicts = dict(line.split()[::-1] for line in done.stdout.splitlines())
    assert len(verdicts) == COUNT, done.stderr
    strange = {path: verdict for path, verdict in verdicts.items() if verdict not in {"0", "3"}}
    assert not strange, done.stderr
    for path in paths:
        result = json.loads(path.with_name("result.json").read_bytes())
        if verdicts[str(path)] == "3":
            assert result["error"]["code"]
            assert "«voice." in result["error"]["message"]
        else:
            assert result["output"]["duration_ms"] > 0
    refused = sum(verdict == "3" for verdict in verdicts.values())
    assert COUNT // 4 < refused < COUNT


@pytest.mark.parametrize("name", ["text.jsonl", "text.csv", "text.txt"])
def test_every_mutated_text_gets_a_verdict(tmp_path, name):
    chance = random.Random(7)
    row = {"text": "habari za asubuhi, karibu", "start": 1.5, "end": 3, "speaker": "A"}
    lines = {
        "text.jsonl": "\n".join([json.dumps(row)] * 20),
        "text.csv": "text,start,end\n" + '"habari, ""karibu""",1.5,3\n' * 20,
        "text.txt": "A: habari za asubuhi\nB: nzuri\n" * 20,
    }
    path = tmp_path / name
    refused = 0
    for _ in range(150):
        path.write_bytes(mutated(lines[name].encode(), chance))
        message = _refusal(path)
        if message is not None:
            refused += 1
            assert f"«{name}»" in message
    assert 0 < refused < 150


def _refusal(path: Path) -> str | None:
    try:
        media.sniff(path, path.name)
    except RefusedError as refusal:
        return refusal.message
    return None
