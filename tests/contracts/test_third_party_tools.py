"""A release proves itself to tools that are not ours."""

import base64
import json
import subprocess
from pathlib import Path

import mlcroissant
import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from tests import trade

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path) -> Path:
    """A downloaded release."""
    return trade.write(trade.grant(), tmp_path / "release")


def test_openssl_alone_verifies_the_signature(folder, tmp_path):
    envelope = json.loads((folder / "manifest.dsse.json").read_bytes())
    trusted = json.loads((folder / "trusted_root.json").read_bytes())
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    files = {
        "pae": b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload),
        "sig": base64.b64decode(envelope["signatures"][0]["sig"]),
        "key.pem": trusted["commonhold"]["manifestKeys"][0]["pem"].encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "sig", "pae"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Verified OK"
    (tmp_path / "pae").write_bytes(files["pae"].replace(b"EUR", b"USD", 1))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_sha256sum_checks_every_file_that_the_manifest_names(folder):
    payload = json.loads(
        base64.b64decode(json.loads((folder / "manifest.dsse.json").read_bytes())["payload"])
    )
    sums = "".join(f"{one['digest']['sha256']}  {one['name']}\n" for one in payload["subject"])
    command = ["sha256sum", "-c", "--quiet"]
    done = subprocess.run(
        command, cwd=folder, input=sums, text=True, check=False, capture_output=True
    )
    assert (done.returncode, done.stdout) == (0, "")
    named = {one["name"] for one in payload["subject"]}
    present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    proofs = {
        "manifest.dsse.json",
        "manifest.sigstore.json",
        "manifest.tlog-proof",
        "consent-status.jwt",
        "trusted_root.json",
    }
    assert present - named == proofs
    clip = next(folder.rglob("*.flac"))
    clip.write_bytes(clip.read_bytes()[:-1] + b"\0")
    assert subprocess.run(
        command, cwd=folder, input=sums, text=True, check=False, capture_output=True
    ).returncode


def test_securesystemslib_verifies_the_envelope(folder):
    trusted = json.loads((folder / "trusted_root.json").read_bytes())["commonhold"]
    key = trusted["manifestKeys"][0]
    public = SSlibKey.from_dict(
        key["keyid"],
        {
            "keytype": "ecdsa",
            "scheme": "ecdsa-sha2-nistp256",
            "keyval": {"public": key["pem"]},
        },
    )
    document = json.loads((folder / "manifest.dsse.json").read_bytes())
    assert Envelope.from_dict(document).verify([public], 1)


@pytest.mark.filterwarnings("ignore")
def test_mlcroissant_validates_and_reads_the_croissant_file(folder):
    dataset = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    assert dataset.metadata.issues.errors == set()
    rows = list(dataset.records("clips"))
    written = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    assert [row["clips/file_name"].decode() for row in rows] == [
        row["file_name"] for row in written
    ]
    for column in ("words", "redactions"):
        read = [plain(row[f"clips/{column}"], f"clips/{column}/") for row in rows]
        assert any(read)
        assert read == [row[column] for row in written]


def plain(found: list[dict], prefix: str) -> list[dict]:
    """Objects of a repeated field as they were written."""
    return [
        {
            name.removeprefix(prefix): value.decode() if isinstance(value, bytes) else value
            for name, value in one.items()
        }
        for one in found
    ]


@pytest.mark.filterwarnings("ignore")
def test_mlcroissant_validate_says_nothing_is_wrong(folder, python):
    command = [str(Path(python).parent / "mlcroissant"), "validate", "--jsonld", "croissant.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr.lower()
