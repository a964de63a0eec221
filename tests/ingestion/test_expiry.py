"""A consent runs out at one moment, on the site and for whoever verifies."""

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from commonhold import standing, trust
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingestion import releases
from ingestion.consent import coverage
from ingestion.models import ConsentRecord, Version
from notary import keys, status
from tests import clock, sealed

pytestmark = pytest.mark.django_db
DAY = 24 * 3600


@pytest.fixture
def version():
    return sealed.version(expires_on=clock.in_days(30))


@given(seconds=st.integers(-2 * DAY, 2 * DAY), hours=st.integers(-12, 14))
@example(seconds=-1, hours=0)
@example(seconds=0, hours=0)
@example(seconds=-1, hours=14)
@example(seconds=0, hours=-12)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_consent_stands_for_the_site_that_has_run_out_for_the_verifier(version, seconds, hours):
    midnight = datetime.combine(clock.in_days(30), time(), UTC)
    zone = timezone(timedelta(hours=hours))
    moment = (midnight + timedelta(seconds=seconds)).astimezone(zone)
    over = seconds >= 0
    assert ConsentRecord.objects.in_force(at=moment).exists() is not over
    assert version.release_consents.fallen(at=moment).exists() is over
    assert version.release_consents.lacking(["research"], at=moment).exists() is over
    gap = coverage.first_gap(version=version, purposes=["research"], at=moment)
    assert (gap is not None) is over
    state = coverage.state(version=version, at=moment)
    assert state is (Version.Consent.EXPIRED if over else Version.Consent.GIVEN)
    assert verified(version, moment) == ("expired" if over else "stale")


def verified(version, moment):
    """What a verifier says of the consents, by the list of today."""
    release = releases.seal_of(version=version).release
    token = status.token(name="consent", number=0) + b"\n"
    ask = standing.Asker(trust.read_trusted_root(keys.trusted_root()), moment, fetch=None)
    return standing.check_consent(release, token, ["research"], ask)[0].details["standing"]
