"""Which passwords are taken, and that nothing is asked of them that makes them worse."""

import gzip
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts import passwords
from accounts.models import User
from tests import factories


def faults(password: str) -> set[str]:
    """The codes of what is wrong with a password of somebody's."""
    person = User(email="amina@radio-kasese.example", name="Amina Kato")
    try:
        validate_password(password, user=person)
    except ValidationError as error:
        return {str(one.code) for one in error.error_list}
    return set()


@pytest.mark.parametrize(
    "password",
    [
        "commonhold", "Commonhold2026!", "radio-station-1", "CommunityRadio", "MyRadioDataset",
        "admin-admin-admin", "Password!Password", "welcome2commonhold", "data.data.data.99",
        "operator_secret",
    ],
)  # fmt: skip
def test_no_password_is_made_of_words_that_are_close_at_hand(password):
    assert "password_too_near" in faults(password)


@pytest.mark.parametrize(
    "password",
    [
        "radio waves over quiet hills",
        "seven quiet herons",
        "commonhold heron lantern",
        "x7!kQ2#vRp",
    ],
)
def test_a_word_of_the_site_beside_others_does_no_harm(password):
    assert faults(password) == set()


def test_the_name_of_the_site_is_such_a_word(settings):
    settings.SITE_URL = "https://kasese.example.org"
    assert "password_too_near" in faults("kasese-12345678")
    assert faults("kasese and a lantern") == set()


@given(
    row=st.lists(st.sampled_from(sorted(passwords.WORDS)), min_size=2, max_size=5),
    between=st.sampled_from(["", " ", "-", "2026", "!?"]),
)
def test_no_row_of_such_words_is_taken_whatever_stands_between(row, between):
    assert "password_too_near" in faults(f"{between.join(row)}-2026!")


def test_what_came_up_in_breaches_is_refused():
    """Each of the 3,000 most frequent that is long enough to be a password here."""
    listed = Path(password_validation.__file__).parent / "common-passwords.txt.gz"
    with gzip.open(listed, "rt") as lines:
        common = [line.strip() for line in lines]
    long_enough = [password for password in common if len(password) >= 10]
    assert len(common) > 19_000
    assert len(long_enough) > 200
    assert [one for one in long_enough if "password_too_common" not in faults(one)] == []
    assert "password_too_common" in faults(long_enough[0].upper())


def test_a_password_of_nine_characters_is_refused_and_one_of_many_is_taken():
    assert "password_too_short" in faults("x7!kQ2#vR")
    assert faults("a heron " * 16) == set()


def test_a_password_like_ones_own_address_is_refused():
    assert "password_too_similar" in faults("amina@radio-kasese")


@pytest.mark.parametrize(
    "password",
    [
        "zzyzx lake dust",
        "8402957163",
        "漢字だけの合言葉です",
        "  .heron.  ,,  ",
        "!!??!!??!!",
    ],
)
def test_no_kind_of_character_is_demanded_or_forbidden(password):
    assert faults(password) == set()


def test_passwords_are_kept_by_a_slow_hash_with_a_salt_of_their_own():
    """Tests use a fast one; this asks what a site starts with (OWASP: 600,000 rounds or more)."""
    hasher = PBKDF2PasswordHasher()
    assert hasher.iterations >= 600_000
    one, other = hasher.encode("x", hasher.salt()), hasher.encode("x", hasher.salt())
    assert one != other
    assert one.startswith("pbkdf2_sha256$")
    assert (
        "PASSWORD_HASHERS" not in Path(configured.BASE_DIR, "marketplace/settings.py").read_text()
    )


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/change/"])
def test_fields_for_passwords_are_masked_and_leave_managers_to_do_their_work(client, path):
    if "change" in path:
        client.force_login(factories.user())
    form = client.get(path).context["form"]
    fields = [field for name, field in form.fields.items() if "password" in name]
    assert fields
    for field in fields:
        assert field.widget.input_type == "password"
        assert field.widget.attrs["autocomplete"] in {"current-password", "new-password"}
        assert not {"onpaste", "maxlength", "readonly"} & set(field.widget.attrs)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong", ["Seven Quiet Herons ", "seven quiet herons", "Seven Quiet Heron"]
)
def test_a_password_is_compared_just_as_it_was_typed(client, wrong):
    password = " Seven Quiet Herons"
    person = factories.user()
    person.set_password(password)
    person.save()
    for typed, status in ((wrong, 200), (password.strip(), 200), (password, 302)):
        answer = client.post("/accounts/login/", {"login": person.email, "password": typed})
        assert answer.status_code == status
