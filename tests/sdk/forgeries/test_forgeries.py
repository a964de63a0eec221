"""Every forgery is noticed by the check that is there for it, with a reason of its own."""

import re
import shutil

import pytest
from commonhold import load, trust, verify
from commonhold.report import State
from commonhold.signed import NotVerifiedError

from tests.sdk.forgeries.grants import GRANTS
from tests.sdk.forgeries.lab import Lab
from tests.sdk.forgeries.lists import LISTS
from tests.sdk.forgeries.outside import OUTSIDE
from tests.sdk.forgeries.releases import RELEASES
from tests.sdk.forgeries.roots import ROOTS
from tests.sdk.forgeries.rows import NAMES, ROWS
from tests.sdk.verified import LATER

ALL = OUTSIDE + RELEASES + GRANTS + ROWS + LISTS + ROOTS
# What Python and its libraries say of such things, for programmers.
FOREIGN = re.compile(
    r"codec|Expecting|Traceback|Error\b|does not match '|is not of type|\bNone\b|KeyError|"
    r"invalid literal|Invalid|incorrect|object has no|zlib|\^\[|char \d+"
)


@pytest.fixture
def lab(pristine, site, tmp_path) -> Lab:
    return Lab(shutil.copytree(pristine, tmp_path / "release"), site)


def report_on(lab: Lab):
    """The vector of a release, by the keys that its site really has."""
    if not lab.answers:
        return verify.verify(lab.folder, trust=lab.trust or lab.site.trust(), now=LATER)
    papers = verify.Documents.of(
        {path.name: path.read_bytes() for path in lab.folder.iterdir() if path.is_file()}
    )
    return verify.verify_documents(
        papers, trust=lab.site.trust(), now=LATER, fetch=lambda uri: lab.answers[uri]
    )


@pytest.mark.parametrize("forgery", ALL, ids=[one.name for one in ALL])
def test_a_forgery_fails_the_check_that_is_there_for_it_and_says_why(forgery, lab):
    forgery.make(lab)
    report = report_on(lab)
    said = {name: check.sentence for name, check in report.vector.items()}
    failed = {name for name, check in report.vector.items() if check.state is State.FAILED}
    assert failed == {forgery.check, *forgery.also}, said
    assert forgery.reason in said[forgery.check] or forgery.reason in str(
        report.vector[forgery.check].details.get("faults")
    ), said
    assert not FOREIGN.search(said[forgery.check]), said
    assert not report.passed


def test_there_are_as_many_forgeries_as_were_promised_and_no_two_of_one_name():
    assert len(ALL) >= 250
    assert len({one.name for one in ALL}) == len(ALL)


def test_the_release_that_is_forged_is_a_good_one(lab):
    report = report_on(lab)
    assert {check.state for check in report.vector.values()} <= {State.OK, State.UNKNOWN}
    assert report.license.details["revocation"] == "not-asked"


@pytest.mark.parametrize("forgery", NAMES, ids=[one.name for one in NAMES])
def test_load_yields_no_row_of_a_release_whose_names_are_forged(forgery, lab):
    forgery.make(lab)
    with pytest.raises(NotVerifiedError, match="“"):
        next(load(lab.folder, trust=lab.site.trust()))


def test_keys_that_are_given_are_held_to_the_same_rules(lab):
    """A trusted root that is refused beside a release is refused as what to trust, too."""
    for forgery in ROOTS:
        forgery.make(lab)
        with pytest.raises(trust.TrustError):
            verify.verify(lab.folder, trust=lab.folder / "trusted_root.json")
        lab.write("trusted_root.json", lab.site.trusted_root())
