"""Statements about status lists: whoever replays them gets the list, and no other passes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from commonhold import canonical, statuschange, statuslist
from commonhold.statuschange import Change, Entries, ListState
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.bundles import NOW

URI = "https://commonhold.example/status/consent/1"
changes = st.builds(
    lambda position, status, purposes: Change(
        position, status, NOW, tuple(sorted(purposes)) if status == statuslist.NARROWED else ()
    ),
    st.integers(0, 9) | st.just(statuslist.SIZE - 1),
    st.sampled_from([1, 2, 3]),
    st.sets(st.sampled_from("abc"), min_size=1),
)


def published(rounds):
    """The statements of a list that changed so."""
    entries, before, states = Entries(), None, []
    for sequence, wanted in enumerate(rounds, start=1):
        effects = tuple(done for one in wanted if (done := entries.apply(one)) is not None)
        time = NOW + timedelta(seconds=sequence)
        digests = entries.sha256, entries.narrowed_sha256
        states.append(ListState(URI, sequence, time, *digests, before, effects))
        before = entries.sha256
    return entries, states


@given(rounds=st.lists(st.lists(changes, max_size=5), max_size=5))
def test_replaying_what_was_said_gives_the_list(rounds):
    entries, states = published(rounds)
    read = [statuschange.read(state.encode()) for state in states]
    assert read == states
    replayed = statuschange.replay(read)
    assert (replayed.data, replayed.narrowed) == (entries.data, entries.narrowed)


@given(wanted=st.lists(changes, max_size=30))
def test_a_list_agrees_with_a_dict_and_nothing_becomes_valid_again(wanted):
    entries, model = Entries(), {}
    for change in wanted:
        entries.apply(change)
        known = model.get(change.position, 0)
        model[change.position] = max(known, change.status, key=statuslist.STRENGTH.__getitem__)
        assert statuslist.read(entries.data, change.position) == model[change.position]
    packed = statuslist.pack(model.get(at, 0) for at in range(statuslist.SIZE))
    assert packed == bytes(entries.data)
    assert {at for at, status in model.items() if status == 3} == set(entries.narrowed)


def test_a_first_statement_has_this_form():
    changes = (Change(7, 3, NOW, ("research",)),)
    state = ListState(URI, 1, NOW, "0" * 64, "1" * 64, None, changes)
    said = canonical.decode(state.encode())
    assert said == {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://w3id.org/commonhold/status-change/v1",
        "subject": [{"name": URI, "digest": {"sha256": "0" * 64}}],
        "predicate": {
            "sequence": 1,
            "time": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
            "changes": [
                {
                    "position": 7,
                    "status": 3,
                    "at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
                    "purposes": ["research"],
                }
            ],
            "narrowed": {"sha256": "1" * 64},
            "before": None,
        },
    }


def history():
    return published([[Change(1, 1, NOW)], [Change(2, 2, NOW)], [Change(1, 2, NOW)]])[1]


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (lambda states: states[1:], "does not follow"),
        (lambda states: [states[0], states[2]], "does not follow"),
        (lambda states: [replace(states[0], sequence=2)], "does not follow"),
        (lambda states: [states[0], replace(states[1], before="0" * 64)], "does not follow"),
        (lambda states: [replace(states[0], changes=())], "not what its changes lead to"),
        (lambda states: [replace(states[0], sha256="0" * 64)], "not what its changes lead to"),
        (lambda states: [replace(states[0], narrowed="0" * 64)], "not what its changes lead to"),
        (lambda states: [replace(states[0], changes=(Change(1, 1, NOW),) * 2)], "did not change"),
        (lambda states: [replace(states[0], changes=(Change(1, 0, NOW),))], "did not change"),
        (lambda states: [replace(states[0], changes=(Change(1 << 17, 1, NOW),))], "no place"),
        (lambda states: [replace(states[0], changes=(Change(1, 4, NOW),))], "no place"),
    ],
)
def test_a_history_that_does_not_add_up_is_refused(tamper, fault):
    with pytest.raises(statuschange.StatusChangeError, match=fault):
        statuschange.replay(tamper(history()))


def edited(change):
    said = canonical.decode(history()[0].encode())
    change(said)
    return canonical.encode(said)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b"not json",
        edited(lambda said: said.update(more=1)),
        edited(lambda said: said.update(predicateType="other")),
        edited(lambda said: said["subject"].append({"name": "x", "digest": {"sha256": "y"}})),
        edited(lambda said: said["predicate"].update(sequence="1")),
        edited(lambda said: said["predicate"].update(sequence=True)),
        edited(lambda said: said["predicate"].update(time="now")),
        edited(lambda said: said["predicate"]["changes"][0].update(position="1")),
        edited(lambda said: said["predicate"]["changes"][0].update(name="Amina")),
        edited(lambda said: said["predicate"]["changes"][0].update(purposes=["b", "a"])),
    ],
)
def test_what_is_no_such_statement_is_refused(payload):
    with pytest.raises(statuschange.StatusChangeError):
        statuschange.read(payload)
