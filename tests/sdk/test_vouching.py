"""Keys that nobody vouched for prove nothing, whatever was signed with them."""

import json
from datetime import timedelta

import commonhold
import pytest
from click.testing import CliRunner
from commonhold import cli, fetching, pins, rows, signed, trust, verify, vouching
from commonhold.report import State

from tests.sdk import bundles, fake_site
from tests.sdk.verified import HOLDS, LATER, STATES, checked, papers, pin, states

DATASET = "radio-example/kurzwelle"
UNKNOWN = dict.fromkeys(STATES, "unknown")


@pytest.fixture
def forged(tmp_path):
    """A release that an attacker signed: own keys, own log, own lists, own trusted root in it."""
    return bundles.write(tmp_path / "forged", bundles.Site())


@pytest.fixture
def online(monkeypatch):
    with fake_site.running() as running:
        running.add(DATASET)
        # A name, so that what it shows must stay; a loopback IP may show other keys each time.
        running.typed = running.url.replace("127.0.0.1", "localhost")
        monkeypatch.setenv("COMMONHOLD_URL", running.typed)
        monkeypatch.setenv("COMMONHOLD_API_KEY", fake_site.KEY)
        yield running


@pytest.fixture
def released(online, tmp_path):
    online.release = bundles.write(tmp_path / "released", online.keys)
    return online


def run(*args, code=0):
    result = CliRunner().invoke(cli.main, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result


def run_json(*args, code=0):
    return json.loads(run(*args, "--json", code=code).stdout)


# ---- verify ----------------------------------------------------------------------------------


def test_a_release_re_signed_with_an_attackers_keys_is_not_verified(forged):
    report = checked(forged)
    assert states(report) == UNKNOWN
    assert report.trust.state is State.UNKNOWN
    assert report.trust.details["source"] == "download"
    assert not report.passed
    assert report.about == {}


def test_that_nobody_vouched_for_the_keys_is_said_first_and_is_exit_code_one(forged):
    said = run("verify", forged, "--offline", code=1).stdout.splitlines()
    assert said[0].startswith("NOT VERIFIED. Nobody vouched for these keys")
    assert " ok " not in "\n".join(said)
    data = run_json("verify", forged, "--offline", code=1)
    assert data["passed"] is False
    assert {check["state"] for check in data["checks"].values()} == {"unknown"}


def test_that_nobody_vouched_is_said_first_of_what_is_damaged_too(forged):
    (forged / "README.md").write_bytes(b"changed")
    said = run("verify", forged, "--offline", code=1).stdout.splitlines()
    assert said[0].startswith("NOT VERIFIED. Nobody vouched for these keys")
    assert said[-1] == "Verification FAILED."


def test_damage_is_found_under_keys_that_nobody_vouched_for(forged):
    (forged / "README.md").write_bytes(b"changed")
    report = checked(forged)
    assert states(report) == UNKNOWN | {"files": "failed"}


def test_keys_that_ran_out_do_not_turn_into_a_warning_where_nobody_vouches(forged):
    report = checked(forged, now=bundles.NOW + timedelta(days=91))
    assert report.trust.state is State.UNKNOWN
    assert not report.passed


def test_who_believes_the_keys_of_a_download_says_so(forged):
    said = run("verify", forged, "--offline", "--trust-on-first-use").stdout
    assert "you chose to believe them this once" in said
    report = checked(forged, first_use=True)
    assert states(report) == HOLDS
    assert report.trust.state is State.WARNING
    assert pins.every() == []
    run("verify", forged, "--offline", code=1)


def test_first_use_does_not_outweigh_a_pin(forged, site):
    report = checked(forged, first_use=True)
    assert states(report)["signature"] == "failed"
    assert report.trust.details["address"] == bundles.SITE


def test_a_download_is_vouched_for_by_the_pin_that_signed_it_whatever_its_log_is_called(
    bundle, tmp_path
):
    assert checked(bundle).trust.details["address"] == bundles.SITE
    other = bundles.Site(origin="other.example", address="https://other.example")
    pin(other)
    theirs = bundles.write(tmp_path / "theirs", other)
    assert checked(theirs).trust.details["address"] == "https://other.example"
    assert states(checked(theirs))["signature"] == "ok"


def test_a_forger_who_copies_the_logs_name_is_refused_and_the_pin_named(forged, site):
    report = checked(forged)
    assert states(report)["signature"] == "failed"
    assert f"those of {bundles.SITE}" in report.trust.sentence


def test_newer_keys_in_a_download_count_if_the_pinned_root_key_signed_them(site, tmp_path):
    """The site replaced its manifest key since; the download brings the newer trusted root."""
    newer = bundles.Site(root_key=site.root_key, log_key=site.log_key, status_key=site.status_key)
    folder = bundles.write(tmp_path / "newer", newer)
    (folder / "trusted_root.json").write_bytes(newer.trusted_root(version=2))
    report = checked(folder)
    assert states(report) == HOLDS
    assert report.trust.details["source"] == "pinned"


def test_the_root_key_can_be_compared_from_screen_to_screen(bundle, site):
    shown = vouching.fingerprint(site.trust())
    assert shown.replace(" ", "") == site.root_key.keyid
    assert shown in checked(bundle).trust.sentence


# ---- asking ----------------------------------------------------------------------------------


def test_nothing_is_asked_of_an_address_that_an_unvouched_manifest_names(online, tmp_path):
    theirs = bundles.Site(address=online.url)
    folder = bundles.write(tmp_path / "theirs", theirs)
    run("verify", folder, code=1)
    assert not online.requests
    asked = []
    verify.verify_documents(papers(folder), now=LATER, fetch=asked.append, renew=asked.append)
    assert asked == []


def test_a_vouched_manifest_can_not_send_the_client_elsewhere(online, tmp_path, monkeypatch):
    """Its status lists are said to lie on a machine that is not the site's."""
    other = online.url.replace("127.0.0.1", "127.0.0.2")
    monkeypatch.setattr(bundles, "CONSENT_URI", f"{other}/status/consent/17")
    monkeypatch.setattr(bundles, "GRANT_URI", f"{online.url}0/status/grant/3")
    theirs = bundles.Site(address=online.url)
    folder = bundles.write(tmp_path / "theirs", theirs)
    asked = nothing_answers(monkeypatch)
    online.keys = theirs
    report = verify.verify(folder, theirs.trust(), offline=False, now=LATER)
    assert asked
    assert {url.startswith(f"{online.url}/") for url in asked} == {True}
    assert report.license.state is not State.FAILED


@pytest.mark.parametrize(
    "said",
    [
        *("https://169.254.169.254", "http://10.0.0.1", "https://127.1", "https://[::1]"),
        *("https://localhost", "https://intranet", "https://metadata.internal"),
        "http://elsewhere.example",
    ],
)
def test_a_pinned_site_can_not_send_the_client_inwards(tmp_path, monkeypatch, said):
    monkeypatch.setattr(bundles, "CONSENT_URI", f"{said}/status/consent/17")
    monkeypatch.setattr(bundles, "GRANT_URI", f"{said}/status/grant/3")
    theirs = bundles.Site(address=said)
    pin(theirs, "https://typed.example")
    folder = bundles.write(tmp_path / "theirs", theirs)
    asked = nothing_answers(monkeypatch)
    verify.verify(folder, offline=False, now=LATER)
    assert {url.rpartition("/")[2] for url in asked} == {"trusted_root.json", "17", "3"}
    assert {url[:22] for url in asked} == {"https://typed.example/"}


def test_a_pinned_site_that_moved_is_asked_at_both_addresses(tmp_path, monkeypatch):
    moved = bundles.Site(address="https://new.example")
    pin(moved, "https://typed.example")
    folder = bundles.write(tmp_path / "theirs", moved)
    asked = nothing_answers(monkeypatch)
    verify.verify(folder, offline=False, now=LATER)
    for path in (trust.PATH, "/status/consent/17"):
        assert [url for url in asked if url.endswith(path)] == [
            f"https://typed.example{path}",
            f"https://new.example{path}",
        ]


def nothing_answers(monkeypatch):
    """What is asked for, in order, where no address answers."""
    asked = []

    def fetch_small(url, _most=0):
        asked.append(url)
        message = f"{url} does not answer"
        raise fetching.FetchError(message)

    monkeypatch.setattr(fetching, "fetch_small", fetch_small)
    return asked


# ---- download and load -----------------------------------------------------------------------


def test_the_first_download_says_that_its_keys_were_taken_on_this_meeting(released, tmp_path):
    first = run_json("download", DATASET, "--to", tmp_path / "here")["verification"]
    assert first["passed"] is True
    assert first["trust"]["state"] == "warning"
    assert first["trust"]["details"]["source"] == "first-use"
    assert "first meeting" in first["trust"]["sentence"]
    again = run_json("download", DATASET, "--to", tmp_path / "here")["verification"]
    assert again["trust"]["details"] | {"source": "pinned"} == again["trust"]["details"]
    assert again["trust"]["state"] == "ok"


def test_a_download_is_vouched_for_by_the_pin_of_the_address_that_was_typed(released, tmp_path):
    run("download", DATASET, "--to", tmp_path / "here")
    report = run_json("verify", tmp_path / "here", "--offline")
    assert {name: check["state"] for name, check in report["checks"].items()} == HOLDS
    assert report["trust"]["details"]["address"] == released.typed


def test_a_download_with_given_keys_says_so_and_refuses_others(released, tmp_path):
    root = tmp_path / "root.json"
    root.write_bytes(released.keys.trusted_root())
    to = ("--to", tmp_path / "here")
    done = run_json("download", DATASET, *to, "--trust", root)["verification"]
    assert done["trust"]["details"]["source"] == "given"
    root.write_bytes(bundles.Site().trusted_root())
    refused = run_json("download", DATASET, *to, "--trust", root, code=1)
    assert refused["code"] == "trusted-root-not-vouched-for"


def test_other_keys_under_a_typed_address_are_refused_before_anything_is_fetched(
    released, tmp_path
):
    run("download", DATASET, "--to", tmp_path / "here")
    for name in ("log.commonhold.example", "127.0.0.1", "localhost", "127.evil.example"):
        released.keys = bundles.Site(origin=name)
        released.release = bundles.write(tmp_path / f"forged-{name}", released.keys)
        args = ("download", DATASET, "--to", tmp_path / f"there-{name}")
        assert run_json(*args, code=1)["code"] == "pinned-keys-changed"
        assert not (tmp_path / f"there-{name}").exists()
        with pytest.raises(pins.PinnedKeysChangedError):
            next(commonhold.load(DATASET))


def test_load_yields_no_row_that_an_attacker_signed(forged):
    with pytest.raises(signed.NotVerifiedError, match="Nobody vouched for these keys"):
        next(commonhold.load(forged))


def test_load_takes_keys_that_are_given(forged, tmp_path):
    root = tmp_path / "root.json"
    root.write_bytes((forged / "trusted_root.json").read_bytes())
    assert len(list(commonhold.load(forged, trust=root))) == 3
    with pytest.raises(signed.NotVerifiedError, match="signature"):
        next(commonhold.load(forged, trust=bundles.Site().trust()))


def test_load_takes_a_folder_whose_site_was_met_before(bundle):
    assert len(list(commonhold.load(bundle))) == 3


@pytest.mark.parametrize(
    ("check", "names"),
    [
        ("consent", ["consent-status.jwt"]),
        ("logged", ["manifest.tlog-proof", "manifest.sigstore.json"]),
    ],
)
def test_load_yields_no_row_where_the_papers_that_could_refuse_it_were_taken_away(
    bundle, check, names
):
    for name in names:
        (bundle / name).unlink()
    with pytest.raises(signed.NotVerifiedError, match=rf"\({check}\): There is no"):
        next(commonhold.load(bundle))


def test_load_goes_on_with_a_status_list_that_is_old(bundle, site):
    """It asks nobody, so that a release is read where there is no network."""
    old = site.consent_status([0] * 8, issued=bundles.NOW - timedelta(days=20))
    (bundle / "consent-status.jwt").write_bytes(bundles.lines(old))
    assert len(list(commonhold.load(bundle))) == 3


def test_load_takes_what_the_site_that_was_typed_signed(released):
    assert len(list(commonhold.load(f"{DATASET}@1"))) == 3


@pytest.mark.parametrize("name", ["no-such-folder", "a/b/c", "a/b@x", "/b", "a/"])
def test_load_of_what_is_no_dataset_says_how_to_write_one(online, name):
    with pytest.raises(rows.NotADatasetError, match="ORGANIZATION/DATASET"):
        commonhold.load(name)
    assert not online.requests
