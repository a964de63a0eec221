"""Another day, for what asks the clock: consents that run out, licenses that end."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import timezone


def set_to(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Let it be a moment from here to the end of the test."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    return moment


def on(day: date, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Let it be the first moment of a day (UTC)."""
    return set_to(datetime.combine(day, time(), tzinfo=UTC), monkeypatch)


def today() -> date:
    """The day it is (UTC)."""
    return timezone.now().date()


def in_days(count: int) -> date:
    """A day from now."""
    return today() + timedelta(days=count)
