"""What every operator will do one day, rehearsed on a site that runs: each key replaced, the site
moved. Whoever downloaded before still verifies, offline and by asking the site."""

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from commonhold import cli, manifest, merkle, notes, pins, times, tlog, trust
from commonhold.report import State
from commonhold.signing import Envelope, parse_envelope, sign_payload
from commonhold.statuslist import build_status_list
from commonhold.verify import Documents, verify, verify_documents
from django.utils import timezone

from ingestion import consent
from ingestion.models import ConsentRecord
from licensing import grants
from licensing.models import Grant
from notary import keys, log, status
from tests import factories, trade

pytestmark = pytest.mark.django_db(transaction=True)
PURPOSES = keys.Purpose.values
CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))


@pytest.fixture
def site(live_server, settings) -> str:
    """The site at an address where it answers, its log named otherwise."""
    settings.SITE_URL, settings.LOG_ORIGIN = live_server.url, "log.example"
    return live_server.url


def download(grant: Grant, folder: Path) -> Path:
    status.publish()
    return trade.write(grant, folder)


def states(report) -> dict[str, str]:
    return {name: str(check.state) for name, check in report.vector.items()}


def require_all_ok(report, *, asked: bool = False) -> None:
    """All holds. Whether the license was revoked is known to who asked alone."""
    expected = dict.fromkeys(("signature", "logged", "files", "license", "consent"), "ok")
    if not asked:
        expected["license"] = "unknown"
    assert states(report) == expected, report.as_dict()


def root() -> trust.Trust:
    return trust.read_trusted_root(keys.trusted_root())


def release_of(folder: Path) -> dict[str, str]:
    payload = parse_envelope((folder / "manifest.dsse.json").read_bytes()).payload
    return json.loads(payload)["predicate"]["release"]


# ---- rotation --------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", PURPOSES)
def test_after_a_rotation_earlier_and_later_downloads_verify(purpose, site, tmp_path):
    grant = trade.grant()
    earlier = download(grant, tmp_path / "earlier")
    before = root()
    keys.rotate(purpose=purpose, by="Ada")
    later = download(trade.grant(), tmp_path / "later")
    again = download(grant, tmp_path / "again")
    for folder in (earlier, later, again):
        require_all_ok(verify(folder, first_use=True))
        require_all_ok(verify(folder, trust=root()))
        # Who has only the keys of before is led to those of now.
        report = verify(folder, trust=before, offline=False)
        require_all_ok(report, asked=True)
        assert report.trust.state is State.OK
    require_all_ok(verify(earlier, trust=before))


def test_two_root_keys_later_a_pinned_client_follows_on_its_own(site, tmp_path, monkeypatch):
    earlier = download(trade.grant(), tmp_path / "earlier")
    pins.pin(site, keys.trusted_root(), lambda _: b"")
    for purpose in (*PURPOSES, *PURPOSES):
        keys.rotate(purpose=purpose, by="Ada")
    log.integrate()
    report = verify(earlier, offline=False)
    require_all_ok(report, asked=True)
    assert report.trust.details["address"] == site
    assert report.trust.details["version"] == 9
    monkeypatch.setenv("COMMONHOLD_URL", site)
    done = CliRunner().invoke(cli.main, ["log", "check", "--json"])
    assert done.exit_code == 0, done.output
    kept = pins.pinned(site)
    assert kept is not None
    assert kept.trust.version == 9


def around(end: datetime) -> tuple[tuple[datetime, State], ...]:
    """The last second in which a retired key counts, and the first in which it does not."""
    return (end - timedelta(seconds=1), State.OK), (end, State.FAILED)


def dated(folder: Path, moment: datetime, signer: keys.Signer) -> Envelope:
    """The license of a download as if it had begun at a moment, signed anew."""
    statement = json.loads(parse_envelope((folder / "manifest.dsse.json").read_bytes()).payload)
    grant = statement["predicate"]["grant"]
    if grant["validUntil"] is not None:
        term = times.read(grant["validUntil"]) - times.read(grant["validFrom"])
        grant["validUntil"] = times.write(moment + term)
    grant["validFrom"] = times.write(moment)
    return sign_payload(manifest.encode(statement), signer)


def test_a_manifest_that_a_retired_key_dates_after_its_end_is_refused(site, tmp_path):
    folder = download(trade.grant(), tmp_path / "release")
    thief = keys.signer("manifest")
    done = keys.rotate(purpose="manifest", by="Ada")
    for moment, state in around(done.retired_at):
        forged = dated(folder, moment, thief)
        report = verify_documents(Documents(manifest=forged.to_bytes()), trust=root())
        assert report.signature.state is state, report.signature
    assert "not in use" in report.signature.sentence


def test_a_status_list_that_a_retired_key_dates_after_its_end_is_refused(site, tmp_path):
    folder = download(trade.grant(), tmp_path / "release")
    thief = keys.signer("status")
    done = keys.rotate(purpose="status", by="Ada")
    trusted = root()
    assert verify(folder, trust=trusted).consent.state is State.OK
    uri = status.lists()[0].uri
    data = bytes(1 << 15)
    for issued, state in around(done.retired_at):
        forged = build_status_list(data=data, uri=uri, signer=thief, issued=issued)
        (folder / "consent-status.jwt").write_text(f"{forged}\n")
        report = verify(folder, trust=trusted)
        assert report.consent.state is state, report.consent
    assert "not in use" in report.consent.sentence


def test_a_checkpoint_larger_than_a_retired_key_ever_signed_is_refused(site, tmp_path):
    grant = trade.grant()
    folder = download(grant, tmp_path / "release")
    thief = keys.signer("log")
    keys.rotate(purpose="log", by="Ada")
    download(trade.grant(), tmp_path / "later")
    newest = log.latest_checkpoint()
    assert newest is not None
    note = notes.Checkpoint("log.example", newest.size, bytes(newest.root_hash)).sign(thief)
    grant.statement.entry.refresh_from_db()
    proof = tlog.prove(grant.statement.entry.index or 0, note, newest.size, log.node)
    papers = Documents(
        manifest=(folder / "manifest.dsse.json").read_bytes(), proof=proof.to_bytes()
    )
    logged = verify_documents(papers, trust=root()).logged
    assert logged.state is State.FAILED
    assert "its key was retired when the log had" in logged.sentence


def test_a_checkpoint_of_a_retired_key_over_something_younger_is_refused(site, tmp_path):
    """A checkpoint bears no date; what it holds does. The thief's log holds one entry."""
    folder = download(trade.grant(), tmp_path / "release")
    thief = keys.signer("log")
    done = keys.rotate(purpose="log", by="Ada")
    for moment, state in around(done.retired_at):
        envelope = dated(folder, moment, keys.signer("manifest"))
        leaf = merkle.leaf_hash(tlog.entry_body(envelope, keys.public(envelope.keyid)))
        proof = tlog.LogProof(0, (), notes.Checkpoint("log.example", 1, leaf).sign(thief))
        papers = Documents(manifest=envelope.to_bytes(), proof=proof.to_bytes())
        logged = verify_documents(papers, trust=root()).logged
        assert logged.state is state, logged
    assert "its key was retired on" in logged.sentence


# ---- the site moves --------------------------------------------------------------------------


def test_after_a_move_earlier_downloads_verify_offline_and_by_the_new_address(
    live_server, settings, tmp_path
):
    settings.SITE_URL, settings.LOG_ORIGIN = CLOSED_PORT, "127.0.0.1"
    grant = trade.grant()
    earlier = download(grant, tmp_path / "earlier")
    before = root()
    settings.SITE_URL = live_server.url  # another host; the log keeps its name
    later = download(trade.grant(), tmp_path / "later")
    for folder in (earlier, later):
        require_all_ok(verify(folder, first_use=True))
        require_all_ok(verify(folder, trust=root()))
        require_all_ok(verify(folder, trust=root(), offline=False), asked=True)
    report = verify(earlier, trust=root(), offline=False)
    assert f"asked at {live_server.url}/status/consent/" in report.consent.sentence
    assert report.license.details["asked_at"].startswith(f"{live_server.url}/status/grant/")
    assert trust.follow(before, keys.trusted_root(), keys.root_version) == root()
    old, new = (release_of(folder) for folder in (earlier, later))
    assert old["instance"] == new["instance"]
    assert "http" not in old["id"] + old["dataset"] + old["name"]


def test_after_a_move_withdrawals_and_revocations_reach_who_downloaded_before(
    live_server, settings, tmp_path
):
    settings.SITE_URL, settings.LOG_ORIGIN = CLOSED_PORT, "127.0.0.1"
    grant = trade.grant()
    earlier = download(grant, tmp_path / "earlier")
    settings.SITE_URL = live_server.url
    owner = factories.owner_of(grant.version.dataset.organization)
    consent.withdraw(record=ConsentRecord.objects.latest("pk"), by=owner)
    grants.revoke(grant=grant, by=owner)
    status.publish()
    found = states(verify(earlier, first_use=True))
    assert found == found | {"license": "unknown", "consent": "ok"}
    report = verify(earlier, trust=root(), offline=False)
    assert states(report) == states(report) | {"license": "failed", "consent": "failed"}


def test_a_site_that_can_not_be_asked_at_all_is_said(settings, tmp_path):
    settings.SITE_URL, settings.LOG_ORIGIN = CLOSED_PORT, "127.0.0.1"
    folder = download(trade.grant(), tmp_path / "release")
    report = verify(folder, trust=root(), offline=False)
    assert report.passed
    assert report.license.state is report.consent.state is State.WARNING
    assert "could not be asked for newer ones" in report.trust.sentence


# ---- the public lists, held against the log --------------------------------------------------


def test_the_log_check_notices_a_list_that_is_not_the_one_that_was_logged(
    site, tmp_path, monkeypatch
):
    download(trade.grant(), tmp_path / "release")
    monkeypatch.setenv("COMMONHOLD_URL", site)
    done = CliRunner().invoke(cli.main, ["log", "check"])
    assert done.exit_code == 0, done.output
    assert "2 status lists are what statements in it say" in done.output
    row = status.find(name="consent", number=0)
    shown_to_one = build_status_list(
        data=b"\1" + bytes((1 << 15) - 1),
        uri=row.uri,
        signer=keys.signer("status"),
        issued=timezone.now(),
    )
    type(row).objects.filter(pk=row.pk).update(token=shown_to_one)
    done = CliRunner().invoke(cli.main, ["log", "check", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.output)["code"] == "status-list-not-logged"
    narrowed = build_status_list(
        data=bytes(1 << 15),
        uri=row.uri,
        signer=keys.signer("status"),
        issued=timezone.now(),
        narrowed={0: ["research"]},
    )
    type(row).objects.filter(pk=row.pk).update(token=narrowed)
    done = CliRunner().invoke(cli.main, ["log", "check", "--json"])
    assert json.loads(done.output)["code"] == "status-list-invalid"


def test_a_backup_of_everything_is_the_same_site(site, tmp_path):
    """Keys and database copied together: what is signed afterwards goes on from there."""
    folder = download(trade.grant(), tmp_path / "release")
    copy = tmp_path / "keys"
    shutil.copytree(keys.folder(), copy)
    shutil.rmtree(keys.folder())
    with pytest.raises(keys.KeyMissing):
        trade.grant()
    shutil.copytree(copy, keys.folder(), dirs_exist_ok=True)
    later = download(trade.grant(), tmp_path / "next")
    for release in (folder, later):
        require_all_ok(verify(release, trust=root(), offline=False), asked=True)
