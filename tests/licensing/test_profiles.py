"""The license catalogue: text and machine-readable terms say the same."""

import pytest
from commonhold.purposes import DENIED_BY_DEFAULT, PURPOSES
from hypothesis import given
from hypothesis import strategies as st

from licensing import profiles
from licensing.profiles.text import ALLOWED, DENIED, percent

SLUGS = [profile.slug for profile in profiles.catalogue()]


def compiled(slug: str, **choices) -> profiles.Terms:
    return profiles.compile_terms(profile=profiles.get(slug), **choices)


def unwrapped(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("slug", SLUGS)
def test_text_and_odrl_allow_and_deny_the_same_purposes(slug):
    terms = compiled(slug)
    text = unwrapped(terms.text)
    permitted = {rule["action"].removeprefix("ch:") for rule in terms.odrl["permission"]}
    prohibited = {rule["action"].removeprefix("ch:") for rule in terms.odrl["prohibition"]}
    said = {purpose for purpose, words in ALLOWED.items() if f"- {words}" in text}
    denied = {purpose for purpose, words in DENIED.items() if f"- {words}" in text}
    assert said == permitted == set(terms.purposes)
    assert denied == prohibited == set(terms.denies)
    assert permitted | prohibited == {purpose.slug for purpose in PURPOSES}


@pytest.mark.parametrize("slug", SLUGS)
def test_no_license_allows_cloning_identifying_or_watching_a_voice(slug):
    assert set(compiled(slug).denies) >= DENIED_BY_DEFAULT


@pytest.mark.parametrize("slug", SLUGS)
def test_every_text_fits_a_terminal_and_says_which_form_prevails(slug):
    text = compiled(slug).text
    # An IRI stands whole on its line.
    prose = [line for line in text.splitlines() if "LicenseRef" not in line and "://" not in line]
    assert max(len(line) for line in prose) <= 80
    assert "this text prevails" in unwrapped(text)


def test_the_same_choices_give_the_same_digest_and_other_choices_another():
    year = compiled("commercial-training", term_days=365)
    assert year.sha256 == compiled("commercial-training", term_days=365).sha256
    assert year.sha256 != compiled("commercial-training").sha256


@given(days=st.integers(1, 36_500))
def test_a_term_stands_in_text_and_odrl(days):
    terms = compiled("commercial-training", term_days=days)
    assert f"{days} days" in unwrapped(terms.text)
    for rule in terms.odrl["permission"]:
        assert rule["constraint"][0]["rightOperand"] == f"P{days}D"


@given(bps=st.integers(1, 10_000))
def test_a_benefit_share_is_written_exactly(bps):
    terms = compiled("commercial-training-benefit-share", benefit_share_bps=bps)
    assert f"{percent(bps)} of the price" in unwrapped(terms.text)
    whole, _, rest = percent(bps).removesuffix(" %").partition(".")
    assert int(whole) * 100 + int(rest.ljust(2, "0") or 0) == bps


@pytest.mark.parametrize(
    ("slug", "choices"),
    [
        ("CC0-1.0", {"term_days": 30}),
        ("CC-BY-4.0", {"benefit_share_bps": 100}),
        ("commercial-training", {"term_days": 0}),
        ("commercial-training", {"term_days": 10**6}),
        ("commercial-training-benefit-share", {"benefit_share_bps": 0}),
        ("commercial-training-benefit-share", {"benefit_share_bps": 10_001}),
    ],
)
def test_choices_that_do_not_fit_the_license_are_refused(slug, choices):
    with pytest.raises(profiles.InvalidTerms):
        compiled(slug, **choices)


def test_an_unknown_license_names_the_ones_there_are():
    with pytest.raises(profiles.UnknownProfile, match=r"CC0-1\.0"):
        profiles.get("do-what-you-want")
