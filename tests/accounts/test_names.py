"""Names can't carry what nobody sees, and nobody can stand beside others under their look."""

import unicodedata

import pytest
from commonhold.paths import FORBIDDEN_CATEGORIES
from hypothesis import given
from hypothesis import strategies as st

from accounts import names, organizations
from accounts.models import Organization
from tests import factories, sealed

INVISIBLE = {
    "right-to-left override": "Radio\u202e Mtoni",
    "isolate": "Radio \u2066Mtoni",
    "zero-width space": "Ra\u200bdio Mtoni",
    "zero-width joiner": "Ra\u200ddio Mtoni",
    "soft hyphen": "Ra\u00addio Mtoni",
    "byte order mark": "\ufeffRadio Mtoni",
    "escape": "Radio \x1b]0;owned\x07Mtoni",
    "null": "Radio\0Mtoni",
    "private use": "Radio \ue000",
    "tag": "Radio \U000e0041",
}


@pytest.mark.parametrize("name", INVISIBLE.values(), ids=INVISIBLE)
def test_a_name_holds_nothing_that_cannot_be_seen(name):
    with pytest.raises(names.InvalidName, match=r"U\+[0-9A-F]{4}"):
        names.check_name(name)


def test_a_name_is_one_line_with_single_spaces_in_nfc():
    typed = "  Ra\u0301dio \n Mtoni\u2028 ya  Pwani "

    assert names.check_name(typed) == "R\u00e1dio Mtoni ya Pwani"


@given(st.text(max_size=40))
def test_whatever_is_kept_can_be_seen_and_is_kept_the_same_again(typed):
    try:
        kept = names.check_name(typed)
    except names.InvalidName:
        return

    assert not {unicodedata.category(char) for char in kept} & FORBIDDEN_CATEGORIES
    assert "\n" not in kept
    assert unicodedata.is_normalized("NFC", kept)
    assert names.check_name(kept) == kept


@pytest.mark.parametrize(
    "other",
    [
        "R\u0430dio Mtoni",
        "RADIO MTONI",
        "Radio  Mtoni",
        "Radi\u043e \u041ct\u043eni",
        "Radio Mton\u0456",
        "RAD\u0406O MTONI",
        "\uff32adio Mtoni",
    ],
)
def test_names_that_look_the_same_have_one_look(other):
    assert names.look_of(other) == names.look_of("Radio Mtoni")


@pytest.mark.parametrize("other", ["Radio Mtoní", "Radio Mtoni 2", "Radio Toni"])
def test_names_that_look_different_have_looks_of_their_own(other):
    assert names.look_of(other) != names.look_of("Radio Mtoni")


@pytest.mark.parametrize(
    ("name", "mixed"),
    [
        ("R\u0430dio Mtoni", True),
        ("\u0420\u0430\u0434i\u043e", True),
        ("Radio \u041c\u043e\u0441\u043a\u0432\u0430", False),
        ("إذاعة Radio", False),
        ("東京ラジオ FM", False),
        ("አማርኛ ራዲዮ 98.5", False),
    ],
)
def test_only_words_of_several_alphabets_are_marked(name, mixed):
    assert names.mixes_scripts(name) is mixed


@pytest.mark.django_db
def test_no_organization_takes_the_look_of_another():
    factories.organization("Radio Mtoni")

    with pytest.raises(organizations.NameTaken, match="looks like the name of Radio Mtoni"):
        organizations.create(name="R\u0430dio Mtoni", slug="another", owner=factories.user())
    assert Organization.objects.count() == 1


@pytest.mark.django_db
def test_a_name_whose_look_is_much_longer_than_itself_is_taken_once():
    longest = "Radio " + "\ufdfa" * 114
    factories.organization(longest)
    organizations.create(name=longest[:-1], slug="another", owner=factories.user())
    with pytest.raises(organizations.NameTaken, match="looks like the name"):
        organizations.create(name=longest.upper(), slug="a-third", owner=factories.user())
    assert len(sealed.dataset(title="\ufdfa" * 160).look) == names.LONGEST_LOOK


@pytest.mark.django_db
def test_an_organization_and_a_key_refuse_invisible_names():
    owner = factories.user()
    with pytest.raises(names.InvalidName):
        organizations.create(name=INVISIBLE["right-to-left override"], slug="radio", owner=owner)
    radio = factories.organization(owner=owner)

    with pytest.raises(names.InvalidName):
        organizations.issue_key(
            organization=radio, user=owner, name=INVISIBLE["escape"], scopes=["read"]
        )
