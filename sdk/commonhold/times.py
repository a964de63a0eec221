"""Moments as signed documents write them: RFC 3339, UTC, whole seconds, `Z`."""

from datetime import UTC, date, datetime, timedelta

from commonhold.errors import CommonholdError
from commonhold.sentences import _

FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# How far two honest clocks may be apart.
TOLERANCE = timedelta(minutes=5)


class InvalidTimeError(CommonholdError):
    """A time that is not written in UTC to the second, or has no zone."""

    code = "invalid-time"
    status = 422


def write(moment: datetime) -> str:
    """Return `moment` (aware; any zone) as `2026-11-20T23:00:00Z`, fractions of a second cut."""
    if moment.tzinfo is None:
        sentence = _("%(time)s names no time zone, so it is no moment. Use an aware datetime.")
        raise InvalidTimeError(sentence, time=str(moment))
    return moment.astimezone(UTC).strftime(FORMAT)


def read(text: str) -> datetime:
    """Return the aware moment that `text` names; InvalidTimeError for any other form."""
    try:
        moment = datetime.strptime(text, FORMAT).replace(tzinfo=UTC)
    except ValueError:
        moment = None
    if moment is None or write(moment) != text:
        sentence = _("“%(text)s” is not a time of the form 2026-11-20T23:00:00Z.")
        raise InvalidTimeError(sentence, text=text)
    return moment


def read_date(text: str) -> date:
    """Return the day that `text` (`2026-11-20`) names, or InvalidTimeError."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        sentence = _("“%(text)s” is not a day of the form 2026-11-20.")
        raise InvalidTimeError(sentence, text=text)
    return day


def day_of(moment: datetime) -> date:
    """Return the day of `moment` (aware; any zone) in UTC, the only calendar that is used here."""
    return moment.astimezone(UTC).date()


def has_lapsed(expires: date | None, at: datetime) -> bool:
    """Tell whether what `expires` on a day holds no more at the moment `at` (aware; any zone).

    The day is the first on which it no longer holds: it lapses as that day begins in UTC.
    """
    return expires is not None and expires <= day_of(at)
