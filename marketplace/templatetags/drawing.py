"""Geometry of what pages draw from data: the thread, waveforms, coverage. No HTML, only numbers."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypedDict

from django.utils.translation import gettext_lazy as _

STATIONS = {
    "source": _("Source"),
    "consent": _("Consent"),
    "text": _("Text"),
    "scrub": _("Scrub"),
    "review": _("Review"),
    "seal": _("Seal"),
    "license": _("License"),
    "download": _("Download"),
}
STATE_WORDS = {
    "done": _("Done"),
    "active": _("Under way"),
    "waiting": _("Waiting"),
    "refused": _("Refused"),
}

Stations = str | Mapping[str, Any] | Iterable[Mapping[str, Any]]


class Box(TypedDict):
    """A range on a drawing, in its units."""

    x: int
    width: int
    kind: str


class Station(TypedDict):
    """One knot of the thread, ready to draw. `to` is the state that the line beyond leads to."""

    station: str
    name: str
    state: str
    word: str
    digest: str
    at: Any
    detail: str
    href: str
    to: str


def thread(stations: Stations) -> list[Station]:
    """Lay out the eight stations; those not mentioned wait.

    `stations` is one state for all of them; or maps a station to its state, or to a mapping with
    `state` and optionally `label`, `digest`, `at`, `detail`, `href`; or lists such mappings with a
    `station` each.
    KeyError where a station or a state is not one of ours.
    """
    given = _by_name(stations)
    for name in given:
        STATIONS[name]
    laid = [_station(name, given.get(name, "waiting")) for name in STATIONS]
    for here, following in pairwise(laid):
        here["to"] = "waiting" if here["state"] == "refused" else following["state"]
    return laid


def _by_name(stations: Stations) -> dict[str, Any]:
    if isinstance(stations, str):
        return dict.fromkeys(STATIONS, stations)
    if isinstance(stations, Mapping):
        return dict(stations)
    return {entry["station"]: entry for entry in stations}


def _station(name: str, given: str | Mapping[str, Any]) -> Station:
    facts: Mapping[str, Any] = {"state": given} if isinstance(given, str) else given
    state = facts.get("state", "waiting")
    return {
        "station": name,
        "name": str(STATIONS[name]),
        "state": state,
        "word": str(facts.get("label") or STATE_WORDS[state]),
        "digest": facts.get("digest") or "",
        "at": facts.get("at"),
        "detail": facts.get("detail") or "",
        "href": facts.get("href") or "",
        "to": "",
    }


def wave(peaks: Sequence[int], *, height: int = 64) -> str:
    """Draw peaks (0 to 100) as one SVG path: a stroke every 2 units, about the middle line."""
    middle = height // 2
    strokes = []
    for place, peak in enumerate(peaks):
        reach = max(1, peak * (middle - 1) // 100)
        strokes.append(f"M{place * 2 + 1} {middle - reach}v{reach * 2}")
    return "".join(strokes)


def boxes(ranges: Iterable[Any], *, duration_ms: int, width: int) -> list[Box]:
    """Scale half-open ranges in milliseconds to a drawing `width` units wide.

    A range is `[start_ms, end_ms]`, `[start_ms, end_ms, kind]` or a mapping with those keys.
    None is narrower than one unit, so that a short bar is still seen.
    """
    if duration_ms <= 0:
        return []
    found: list[Box] = []
    for entry in ranges:
        start, end, kind = _range(entry)
        left = min(min(max(start, 0), duration_ms) * width // duration_ms, width - 1)
        right = -(-min(max(end, 0), duration_ms) * width // duration_ms)
        found.append({"x": left, "width": max(1, right - left), "kind": kind})
    return found


def _range(entry: Any) -> tuple[int, int, str]:
    if isinstance(entry, Mapping):
        return int(entry["start_ms"]), int(entry["end_ms"]), str(entry.get("kind", ""))
    start, end, *rest = entry
    return int(start), int(end), str(rest[0]) if rest else ""


def total(ranges: Iterable[Any]) -> int:
    """Return how many milliseconds the ranges cover together, counting an overlap once."""
    covered = 0
    reached = 0
    for start, end, _kind in sorted(_range(entry) for entry in ranges):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered
