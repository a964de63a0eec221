"""`commonhold log check` holds the status lists of a site to what it logged about them."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from commonhold import cli, merkle, notes, pins, signing, statuschange, statuslist, tlog, trust

from tests.sdk import bundles, fake_site

PATH = "/status/consent/17"


@pytest.fixture
def site(monkeypatch):
    with fake_site.running() as running:
        monkeypatch.setenv("COMMONHOLD_URL", running.url)
        monkeypatch.setenv("COMMONHOLD_API_KEY", fake_site.KEY)
        running.status_lists = [{"uri": bundles.CONSENT_URI, "path": PATH}]
        yield running


def packed(*statuses):
    return statuslist.pack(statuses) + bytes((1 << 15) - len(statuslist.pack(statuses)))


def served(site, data, **more):
    """Serve a list."""
    facts = {"issued": bundles.NOW, "signer": site.keys.status_key} | more
    token = statuslist.build_status_list(data=data, uri=bundles.CONSENT_URI, **facts)
    site.files[PATH] = token.encode()


def say(site, data, *, key=None, uri=bundles.CONSENT_URI, logged=True, time=bundles.NOW):
    """Make a statement about the list, after those that were made, and log it."""
    said = json.loads(site.files.get(f"{PATH}/changes", b'{"statements": []}'))["statements"]
    entries = statuschange.Entries(bytearray(data))
    digests = entries.sha256, entries.narrowed_sha256
    before = (
        statuschange.read(signing.envelope_from(said[-1]["envelope"]).payload) if said else None
    )
    state = statuschange.ListState(
        uri, len(said) + 1, time, *digests, before and before.sha256, changes=()
    )
    envelope = signing.sign_payload(state.encode(), key or site.keys.manifest_key)
    index = len(site.keys.leaves)
    if logged:
        site.keys.leaves.append(tlog.entry_body(envelope, site.keys.manifest_key.public))
    said.append({"sequence": len(said) + 1, "index": index, "envelope": envelope.as_dict()})
    site.files[f"{PATH}/changes"] = json.dumps({"statements": said, "next": None}).encode()


def check(code=0):
    done = CliRunner().invoke(cli.main, ["log", "check", "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_a_list_as_it_was_logged_passes(site):
    served(site, packed(0, 1, 0, 2))
    say(site, packed(0, 1, 0, 2))
    assert check()["status_lists"] == 1


def test_another_list_than_was_logged_is_noticed(site):
    served(site, packed(0))
    say(site, packed(0, 1, 0, 2))
    assert check(1)["code"] == "status-list-not-logged"


def test_a_list_from_a_copy_of_before_the_last_change_is_held_to_what_was_said_then(site):
    say(site, packed(0), time=bundles.NOW - timedelta(seconds=60))
    say(site, packed(1), time=bundles.NOW - timedelta(seconds=20))
    for seconds, statuses, fits in (
        (61, packed(0), False),
        (60, packed(0), True),
        (30, packed(0), True),
        (30, packed(1), False),
        (19, packed(0), False),
        (19, packed(1), True),
    ):
        served(site, statuses, issued=bundles.NOW - timedelta(seconds=seconds))
        found = check(0 if fits else 1)
        assert fits or found["code"] == "status-list-not-logged"


def test_a_list_about_which_nothing_was_said_is_noticed(site):
    served(site, packed(0))
    site.files[f"{PATH}/changes"] = b'{"statements": [], "next": null}'
    assert check(1)["code"] == "status-list-not-logged"


def test_what_was_narrowed_in_secret_is_noticed(site):
    served(site, packed(3), narrowed={0: ["research"]})
    say(site, packed(3))
    assert check(1)["code"] == "status-list-not-logged"


def test_a_statement_about_another_list_is_no_statement_about_this_one(site):
    served(site, packed(0))
    say(site, packed(0), uri=bundles.GRANT_URI)
    assert check(1)["code"] == "status-list-not-logged"


def test_a_statement_that_the_log_does_not_hold_yet_is_noticed(site):
    served(site, packed(0))
    say(site, packed(0), logged=False)
    assert check(1)["code"] == "status-list-not-logged"


def test_a_statement_that_was_never_logged_is_noticed(site):
    """Its place in the log is another entry's."""
    served(site, packed(0))
    say(site, packed(0), logged=False)
    site.keys.leaves.append(b"another entry")
    assert check(1)["code"] == "merkle-proof-invalid"


def test_a_statement_that_a_stranger_signed_is_refused(site):
    served(site, packed(0))
    say(site, packed(0), key=signing.make_key("ES256"))
    assert check(1)["code"] == "signature-invalid"


@pytest.mark.parametrize(
    "lists",
    [None, 7, [{}], [{"uri": bundles.CONSENT_URI}], ["x"], [{"uri": "x", "path": "@127.0.0.2/"}]],
)
def test_lists_in_another_form_are_a_servers_error_in_words(site, lists):
    site.status_lists = lists
    assert check(3)["code"] == "answer-not-readable"


@pytest.mark.parametrize("index", ["1e400", "-1", "1.5", "null"])
def test_a_statement_at_no_place_of_the_log_is_a_servers_error_in_words(site, index):
    served(site, packed(0))
    say(site, packed(0))
    said = site.files[f"{PATH}/changes"].decode()
    site.files[f"{PATH}/changes"] = said.replace('"index": 3', f'"index": {index}').encode()
    assert check(3)["code"] == "answer-not-readable"


# ---- what was seen before --------------------------------------------------------------------


@pytest.fixture
def withdrawn(site):
    """A site whose list was seen before a withdrawal, and after it."""
    say(site, packed(0), time=bundles.NOW - timedelta(seconds=60))
    served(site, packed(0), issued=bundles.NOW - timedelta(seconds=30))
    check()
    site.before = site.files[f"{PATH}/changes"]
    say(site, packed(1), time=bundles.NOW - timedelta(seconds=20))
    served(site, packed(1))
    check()
    return site


def went_back():
    found = check(1)
    assert found["code"] == "status-list-goes-back"
    return json.loads(Path(found["evidence"]).read_text())


def test_a_list_that_was_signed_anew_as_before_a_withdrawal_is_noticed(withdrawn):
    served(withdrawn, packed(0))
    withdrawn.files[f"{PATH}/changes"] = withdrawn.before
    kept = went_back()
    key = withdrawn.keys.manifest_key.public
    statement = signing.envelope_from(kept["before"])
    assert statement.verify([key]).keyid == key.keyid
    assert statuschange.read(statement.payload).sequence == 2
    key = withdrawn.keys.status_key.public
    list_now = statuslist.check_status_list(kept["now"], [key], bundles.CONSENT_URI)
    assert list_now.status(0) == statuslist.VALID
    went_back()


def test_another_statement_in_the_place_of_one_that_was_seen_is_noticed(withdrawn):
    served(withdrawn, packed(0, 0, 1))
    withdrawn.files[f"{PATH}/changes"] = withdrawn.before
    say(withdrawn, packed(0, 0, 1))
    went_back()


@pytest.mark.parametrize("statements", [[], [0, 2]])
def test_statements_that_are_left_out_are_noticed(withdrawn, statements):
    say(withdrawn, packed(1, 1))
    served(withdrawn, packed(1, 1))
    said = json.loads(withdrawn.files[f"{PATH}/changes"])["statements"]
    left = {"statements": [said[at] for at in statements]}
    withdrawn.files[f"{PATH}/changes"] = json.dumps(left).encode()
    assert check(1)["code"] in {"status-list-goes-back", "status-list-not-logged"}


def test_a_list_that_is_not_listed_any_more_is_noticed(withdrawn):
    withdrawn.status_lists = []
    assert signing.envelope_from(went_back()["before"])


def test_an_old_copy_of_a_list_passes_where_its_statements_go_on(withdrawn):
    served(withdrawn, packed(0), issued=bundles.NOW - timedelta(seconds=30))
    check()
    withdrawn.files[f"{PATH}/changes"] = withdrawn.before
    went_back()


def test_another_trial_site_at_a_loopback_ip_begins_anew(withdrawn):
    withdrawn.keys = bundles.Site()
    withdrawn.status_lists = []
    assert check()["status_lists"] == 0


def test_a_damaged_memory_is_said(withdrawn):
    (kept,) = (pins.state_dir() / "checkpoints").glob("*.lists.json")
    kept.write_bytes(b"[")
    assert check(1)["code"] == "status-list-memory-damaged"


def test_a_checkpoint_that_only_a_retired_key_signs_is_refused_once_it_is_too_large(site):
    """The log's key was replaced when the log had three entries."""
    site.status_lists = []
    new = signing.make_key("Ed25519")
    retired = trust.TrustedLog(site.keys.trust().log_vkey, bundles.SINCE, bundles.NOW, 3)
    fresh = trust.TrustedLog(notes.vkey(bundles.ORIGIN, new.public), bundles.SINCE)
    said = replace(site.keys.trust(), log_keys=(fresh, retired))
    site.files[trust.PATH] = trust.build_trusted_root(said, [site.keys.root_key])
    assert check()["size"] == 3
    site.keys.leaves.append(b"four")
    refused = check(1)
    assert "retired when the log had 3" in refused["detail"]
    root = merkle.tree_root(4, site.log_nodes())
    note = notes.Checkpoint(bundles.ORIGIN, 4, root).sign(new)
    site.files["/log/checkpoint"] = note.encode()
    assert check()["since"] == 3
