"""Moments as signed documents write them: RFC 3339, UTC, whole seconds, `Z`."""

from datetime import UTC, date, datetime

from commonhold.errors import CommonholdError

FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class InvalidTimeError(CommonholdError):
    """A time that is not written in UTC to the second, or has no zone."""

    code = "invalid-time"
    status = 422


def write(moment: datetime) -> str:
    """Return `moment` (aware; any zone) as `2026-11-20T23:00:00Z`, fractions of a second cut."""
    if moment.tzinfo is None:
        message = f"{moment} names no time zone, so it is no moment. Use an aware datetime."
        raise InvalidTimeError(message)
    return moment.astimezone(UTC).strftime(FORMAT)


def read(text: str) -> datetime:
    """Return the aware moment that `text` names; InvalidTimeError for any other form."""
    try:
        moment = datetime.strptime(text, FORMAT).replace(tzinfo=UTC)
    except ValueError:
        moment = None
    if moment is None or write(moment) != text:
        message = f"“{text}” is not a time of the form 2026-11-20T23:00:00Z."
        raise InvalidTimeError(message)
    return moment


def read_date(text: str) -> date:
    """Return the day that `text` (`2026-11-20`) names, or InvalidTimeError."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        message = f"“{text}” is not a day of the form 2026-11-20."
        raise InvalidTimeError(message)
    return day
