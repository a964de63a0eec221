"""A dataset's public page, for visitors, members and strangers."""

import json

import pytest
from commonhold.signing import parse_envelope
from django.test import Client

from accounts.models import Role, User
from ingestion.archive import versions
from ingestion.models import Segment, Version
from marketplace import pricing
from marketplace.pages import portraits
from notary import keys
from tests import factories, sealed, trade
from tests.sealed import Said

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def path_of(version: Version) -> str:
    return f"/d/{version.dataset}"


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def streamed(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_visitor_reads_hears_and_sees_price_permission_and_proof():
    version = sealed.version()
    offer = trade.offer(version)
    page = text(Client(), path_of(version))
    for words in (
        "License for €42 a year",
        "€40 to",
        "€2 platform fee",
        "This text binds",
        "You may not",
        "2 speakers agreed",
        "p-0001",
        version.merkle_root,
        f"/checkout/{offer.pk}",
    ):
        assert words in page
    for name in ("Amina", "Juma", "five five five"):
        assert name not in page


def test_speech_that_was_removed_for_want_of_text_is_told_with_what_was_removed():
    quality = {"clips_ms": 60_000, "redacted_ms": 12_000, "redactions_by_kind": {}, "unwritten": 2}
    (_length, (_redacted, _value, told)) = portraits.figures_of(Version(quality=quality))
    assert told.endswith("of the clips, 2 stretches of speech without text")


def test_the_page_takes_ten_reads_at_most_whatever_there_is(django_assert_max_num_queries):
    version = sealed.version()
    trade.offer(version)
    with django_assert_max_num_queries(10) as few:
        text(Client(), path_of(version))
    newer = sealed.version(version.dataset)
    trade.offer(newer)
    trade.offer(newer, profile="research-only", amount_minor=0)
    with django_assert_max_num_queries(10) as many:
        text(Client(), path_of(version))
    assert len(many) == len(few)


def test_the_chosen_offer_is_the_one_on_the_button():
    version = sealed.version()
    trade.offer(version, profile="research-only", amount_minor=0)
    dear = trade.offer(version, amount_minor=9900)
    assert "License for free" in text(Client(), path_of(version))
    page = text(Client(), f"{path_of(version)}?offer={dear.pk}")
    assert "License for €103.95 a year" in page


def test_a_sealed_version_is_unlisted_and_silent_until_it_is_offered():
    version = sealed.version()
    member = signed_in(factories.member(version.dataset.organization, Role.EDITOR))
    page = text(member, path_of(version))
    assert "offers no license of this version now" in page
    assert "/checkout/" not in page
    for path in ("", "/1/listen/1.flac", "/croissant.json", "/1/manifest.dsse.json"):
        assert Client().get(path_of(version) + path).status_code == 404
        assert signed_in(factories.user()).get(path_of(version) + path).status_code == 404
    trade.offer(version)
    for path in ("", "/1/listen/1.flac", "/croissant.json", "/1/manifest.dsse.json"):
        answer = Client().get(path_of(version) + path)
        assert answer.status_code == 200
        assert b"".join(answer)


def test_a_new_version_is_shown_to_visitors_only_once_it_is_offered():
    first = sealed.version()
    trade.offer(first)
    second = sealed.version(first.dataset)
    assert f"Version {first.number}" in text(Client(), path_of(first))
    assert second.merkle_root not in text(Client(), path_of(first))
    assert Client().get(f"{path_of(first)}?version=2").status_code == 404
    trade.offer(second)
    assert second.merkle_root in text(Client(), path_of(first))


def test_a_closed_offer_leaves_the_dataset_to_be_seen():
    version = sealed.version()
    offer = trade.offer(version)
    pricing.close_offer(offer=offer, by=factories.owner_of(version.dataset.organization))
    page = text(Client(), path_of(version))
    assert "offers no license of this version now" in page
    assert "/checkout/" not in page


def test_an_unpublished_dataset_is_not_there_for_strangers():
    draft = sealed.dataset()
    path = f"/d/{draft}"
    operator = User.objects.create_superuser("root@example.org")
    assert Client().get(path).status_code == 404
    assert signed_in(factories.user()).get(path).status_code == 404
    assert signed_in(operator).get(path).status_code == 404
    buyer = factories.member(draft.organization, Role.BUYER)
    assert "Only members" in text(signed_in(buyer), path)


@pytest.mark.parametrize(("role", "sees"), [("owner", True), ("editor", True), ("buyer", False)])
def test_who_may_change_it_finds_the_studio(role: str, *, sees: bool):
    version = sealed.version()
    person = factories.member(version.dataset.organization, role)
    assert ("Open in the studio" in text(signed_in(person), path_of(version))) is sees
    trade.offer(version)
    assert "Open in the studio" not in text(Client(), path_of(version))


def test_the_first_minute_may_be_heard_and_no_more():
    said = [
        Said(f"This is clip number {number} of the show.", duration_ms=25_000)
        for number in range(3)
    ]
    version = sealed.version(said=said)
    trade.offer(version)
    page = f"{path_of(version)}/1/listen"
    whole = Client().get(f"{page}/2.flac")
    assert whole.status_code == 200
    assert streamed(whole)[:4] == b"fLaC"
    part = Client().get(f"{page}/2.flac", headers={"Range": "bytes=0-3"})
    assert (part.status_code, streamed(part)) == (206, b"fLaC")
    assert Client().get(f"{page}/3.flac").status_code == 404
    assert Client().get(f"{page}/0.flac").status_code == 404


def test_words_are_timed_and_what_was_removed_is_a_bar():
    version = sealed.version()
    trade.offer(version)
    clips = Client().get(path_of(version)).context["clips"]
    assert [word["text"] for word in clips[1].words] == ["Call", "us", "at", "[PHONE]"]
    assert clips[1].words[3]["end_ms"] <= clips[1].duration_ms
    assert clips[0].words[0] == {"text": "Good", "start_ms": 0, "end_ms": 300}
    assert clips[1].bars[0][2] == "phone"


def test_words_that_do_not_spell_the_text_fall_back_to_the_published_text():
    draft = versions.open_draft(dataset=sealed.dataset(), by=factories.user())
    sealed.add(draft)
    segment = Segment.objects.get(position=0)
    segment.words = [word | {"text": "other"} for word in segment.words]
    segment.save()
    version = sealed.seal(draft)
    trade.offer(version)
    clip = Client().get(path_of(version)).context["clips"][0]
    assert clip.words == []
    assert clip.text.startswith("Good morning")


def test_what_is_corrected_for_the_next_version_changes_nothing_of_the_last():
    version = sealed.version()
    trade.offer(version)
    before = Client().get(path_of(version)).context["clips"][0]
    Segment.objects.filter(position=0).update(text="Something else.", words=[])
    after = Client().get(path_of(version)).context["clips"][0]
    assert (before.text, before.words) == (after.text, after.words)


@pytest.mark.parametrize("speakers", [1, 40])
def test_the_page_costs_ten_queries_at_most(speakers: int, django_assert_max_num_queries):
    said = [Said(f"Word number {one}.", f"Person {one}") for one in range(speakers)]
    version = sealed.version(said=said)
    trade.offer(version)
    trade.offer(version, profile="research-only", amount_minor=0)
    with django_assert_max_num_queries(10):
        text(Client(), path_of(version))


def test_after_a_withdrawal_nothing_is_heard_or_offered():
    version = sealed.version()
    trade.offer(version)
    trade.withdraw(version)
    page = text(Client(), path_of(version))
    assert "A person who is heard in it has withdrawn" in page
    assert "/checkout/" not in page
    assert "<audio" not in page
    assert Client().get(f"{path_of(version)}/1/listen/1.flac").status_code == 404


def test_older_versions_stay_to_be_seen():
    first = sealed.version()
    second = sealed.version(first.dataset)
    trade.offer(first)
    trade.offer(second)
    assert second.merkle_root in text(Client(), path_of(first))
    page = text(Client(), f"{path_of(first)}?version=1")
    assert "Version 1</strong>" in page
    assert Client().get(f"{path_of(first)}?version=7").status_code == 404


def test_croissant_and_attestation_are_public_as_they_were_sealed():
    version = sealed.version()
    trade.offer(version)
    croissant = Client().get(f"{path_of(version)}/croissant.json")
    assert json.loads(croissant.content)["version"] == "1.0.0"
    manifest = Client().get(f"{path_of(version)}/1/manifest.dsse.json")
    envelope = parse_envelope(manifest.content)
    envelope.verify([keys.signer(keys.Purpose.MANIFEST).public])
    assert "attachment" in manifest["Content-Disposition"]
    assert Client().get(f"{path_of(version)}/1/README.md").status_code == 404
    assert Client().get(f"{path_of(version)}/2/manifest.dsse.json").status_code == 404


def test_a_title_of_markup_stays_text():
    dataset = sealed.dataset(title="<script>alert(1)</script>")
    version = sealed.version(dataset)
    trade.offer(version)
    assert "<script>alert" not in text(Client(), path_of(version))
    assert "<script>alert" not in text(Client(), "/")
