"""The components of the house style. Parameters of each: templates/components/components.yaml."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from html import unescape
from typing import Any

from commonhold.purposes import PURPOSES, Purpose
from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.http import QueryDict
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts import names
from marketplace.templatetags import drawing, redactions, wording

register = template.Library()
LEAST_BARE_MS = 300
"""A gap in consent shorter than any word (ingestion.review.voices) is not worth telling."""

for wording_filter in (
    wording.number,
    wording.duration,
    wording.size,
    wording.language,
    wording.direction,
    wording.term,
):
    register.filter(f"{wording_filter.__name__}_text", wording_filter)
register.filter("purpose_name", wording.purpose)
register.filter("purpose_names", wording.purposes)
register.filter("purpose_phrase", wording.purpose_phrase)
register.filter("timecode", wording.timecode)
register.filter("mixes_scripts", names.mixes_scripts)


@register.simple_tag
def icon(name: str, *, flip: bool = False, label: str = "") -> SafeString:
    """Draw an icon of the sprite; without a label it is decoration. `flip` turns it in RTL."""
    spoken = format_html('role="img" aria-label="{}"', label)
    return format_html(
        '<svg class="icon{}" {}><use href="{}#{}"></use></svg>',
        " icon-flip" if flip else "",
        spoken if label else format_html('aria-hidden="{}"', "true"),
        static("built/icons.svg"),
        name,
    )


@register.inclusion_tag("components/mark.html")
def mark(label: str = "") -> dict[str, Any]:
    """Draw the mark of the product: a waveform whose one stroke is a redaction bar."""
    return {"label": label}


@register.inclusion_tag("components/knot.html")
def knot(state: str) -> dict[str, Any]:
    """Draw one knot: filled done, open waiting, ringed active, crossed refused."""
    return {"state": state}


@register.inclusion_tag("components/state.html")
def state(state: str, word: str = "") -> dict[str, Any]:
    """Say a state with its knot and a word; `state` is done, active, waiting or refused."""
    return {"state": state, "word": word or str(drawing.STATE_WORDS[state])}


@register.inclusion_tag("components/thread.html")
def thread(
    stations: drawing.Stations, size: str = "normal", label: str = "", *, words: bool = True
) -> dict[str, Any]:
    """Draw the thread of a recording, a dataset or a release; `size` is tiny or normal.

    Without `words` the states are told by the knots, and aloud.
    """
    return {
        "stations": drawing.thread(stations or {}),
        "size": size,
        "words": words,
        "label": label or _("The way of this recording"),
    }


@register.inclusion_tag("components/waveform.html")
def waveform(
    peaks: Sequence[int],
    duration_ms: int,
    bars: Iterable[Any] = (),
    outside: Iterable[Any] = (),
    size: str = "",
) -> dict[str, Any]:
    """Draw peaks (0 to 100) with bars over redacted ranges and a veil over `outside` ones."""
    bars = list(bars)
    width = max(2 * len(peaks), 2)
    covered = _boxes(bars, duration_ms, width)
    kinds = [wording.redaction(box["kind"] or "speech") for box in covered]
    return {
        "path": drawing.wave(peaks),
        "width": width,
        "bars": covered,
        "outside": _boxes(outside, duration_ms, width),
        "duration_ms": duration_ms,
        "length": wording.duration(duration_ms),
        "kinds": ", ".join(kinds),
        "size": size,
    }


@register.inclusion_tag("components/coverage.html")
def coverage(
    duration_ms: int, covered: Iterable[Any], excluded: Iterable[Any] = ()
) -> dict[str, Any]:
    """Draw where consent covers a recording; what neither list names is not covered."""
    covered, excluded = list(covered), list(excluded)
    bare_ms = duration_ms - drawing.total([*covered, *excluded])
    return {
        "covered": _boxes(covered, duration_ms, 1000),
        "excluded": _boxes(excluded, duration_ms, 1000),
        "duration_ms": duration_ms,
        "covered_ms": drawing.total(covered),
        "excluded_ms": drawing.total(excluded),
        "bare_ms": bare_ms if bare_ms >= LEAST_BARE_MS or not covered else 0,
        "complete": drawing.total(covered) >= duration_ms,
    }


def _boxes(ranges: Iterable[Any], duration_ms: int, width: int) -> list[drawing.Box]:
    return drawing.boxes(ranges, duration_ms=duration_ms, width=width)


@register.inclusion_tag("components/player.html")
def player(
    src: str,
    duration_ms: int,
    *,
    peaks: Sequence[int] = (),
    bars: Iterable[Any] = (),
    words: Sequence[Mapping[str, Any]] = (),
    text: str = "",
    language: str = "",
    label: str = "",
) -> dict[str, Any]:
    """Set a recording with its waveform and words, read along while it plays.

    `words` are mappings with `text`, `start_ms`, `end_ms` (null where not timed) and optionally
    `redacted`, the kind that a bar hides. `text` is what they spell, with its punctuation.
    """
    return {
        "src": src,
        "duration_ms": duration_ms,
        "peaks": peaks,
        "bars": list(bars or ()),
        "words": words,
        "text": text,
        "language": language,
        "label": label or _("Recording"),
    }


@register.inclusion_tag("components/transcript.html")
def transcript(
    text: str = "",
    words: Sequence[Mapping[str, Any]] = (),
    language: str = "",
    speaker: str = "",
    size: str = "",
) -> dict[str, Any]:
    """Set what was said, with a bar over every redacted word, named for screen readers.

    With both, the text is set as it stands, and its words light up as they are spoken.
    """
    return {
        "pieces": redactions.along(text, words) if text else redactions.of_words(words),
        "spaced": not text,
        "language": language,
        "direction": wording.direction(language) if language else "auto",
        "speaker": speaker,
        "size": size,
    }


@register.inclusion_tag("components/review_words.html")
def review_words(
    words: Sequence[Mapping[str, Any]], language: str = "", first: str = "first_word"
) -> dict[str, Any]:
    """Set words that a person selects, inside a form with `data-review` (assets/js/review.js)."""
    return {
        "words": words,
        "language": language,
        "direction": wording.direction(language) if language else "auto",
        "first": first,
        "last": first.replace("first", "last"),
    }


@register.inclusion_tag("components/card.html")
def card(dataset: Mapping[str, Any], level: int = 2) -> dict[str, Any]:
    """Set a dataset in the catalogue: the API's DatasetSummary, with `stations` for its thread."""
    offers = [offer for offer in dataset.get("offers", ()) if offer.get("active", True)]
    cheapest = min(offers, key=lambda offer: int(offer["price"]["amount_minor"]), default=None)
    return {"dataset": dataset, "offer": cheapest, "several": len(offers) > 1, "level": level}


@register.inclusion_tag("components/purposes.html")
def purposes(allows: Iterable[str], denies: Iterable[str] = ()) -> dict[str, Any]:
    """List what is allowed, then what is denied, each with its mark and its word."""
    order = [known.slug for known in PURPOSES]
    allowed, denied = set(allows), set(denies)
    return {
        "allowed": [slug for slug in order if slug in allowed],
        "denied": [slug for slug in order if slug in denied],
    }


@register.inclusion_tag("components/facet.html")
def facet(
    title: str, name: str, choices: Sequence[Mapping[str, Any]], kind: str = "checkbox"
) -> dict[str, Any]:
    """One question of the facet form; choices have `value`, `label`, `count`, `selected`."""
    return {"title": title, "name": name, "choices": choices, "kind": kind}


@register.inclusion_tag("components/price.html")
def price(
    amount_minor: int,
    currency: str,
    term_days: int | None = None,
    size: str = "",
    *,
    termed: bool = True,
    test: bool = False,
    least: bool = False,
) -> dict[str, Any]:
    """Set a price with its term ("€40 a year").

    `test` says TEST beside it; `least` that there are dearer ones ("from €40 a year").
    """
    words = wording.term(term_days) if amount_minor or term_days else _("for good")
    return {
        "amount": wording.money(amount_minor, currency),
        "term": words if termed else "",
        "sized": f" price-{size}" if size else "",
        "test": test,
        "least": least,
    }


@register.simple_tag
def money(amount_minor: int, currency: str) -> str:
    """Write an amount as plain text, for a sentence or a button."""
    return wording.money(amount_minor, currency)


@register.simple_tag
def digest(value: str, label: str = "") -> SafeString:
    """Show eight characters of a digest and copy it whole. `as` keeps it, for a sentence."""
    plain = str(value).removeprefix("sha256:")
    parts = {"whole": value, "short": plain[:8], "rest": plain[8:], "label": label or _("digest")}
    return render_to_string("components/digest.html", parts)


@register.simple_tag
def when(value: datetime | date | str, precision: str = "minute") -> SafeString:
    """Set a time: local where scripts run, UTC in the title; `precision` is minute or day.

    `as` keeps it, for a sentence.
    """
    read = wording.moment(value)
    timed = isinstance(read, datetime)
    parts = {
        "stamp": read.isoformat(timespec="seconds").replace("+00:00", "Z")  # type: ignore[call-arg]
        if timed
        else read.isoformat(),
        "utc": wording.minute(read),
        "text": wording.minute(read) if precision == "minute" else wording.day(read),
        "precision": precision if timed else "",
    }
    return render_to_string("components/when.html", parts)


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, help_text: str = "", classes: str = "") -> dict[str, Any]:
    """Set a form field with its label, help and errors, tied together for screen readers."""
    return {"field": bound, "help": help_text or bound.help_text, "classes": classes}


@register.simple_block_tag
def callout(content: str, tone: str = "info", title: str = "", role: str = "") -> SafeString:
    """Set a notice around what stands between the tags; `tone` is info, waiting or refused."""
    icons = {"info": "info", "waiting": "clock", "refused": "octagon-x"}
    return format_html(
        '<div class="callout callout-{}"{}>{}<div class="callout-body">{}{}</div></div>',
        tone,
        format_html(' role="{}"', role) if role else "",
        icon(icons[tone]),
        format_html('<p class="callout-title">{}</p>', title) if title else "",
        content,
    )


@register.inclusion_tag("components/breadcrumb.html")
def breadcrumb(*trail: str) -> dict[str, Any]:
    """Say where this page is: pairs of a path and a name, the page itself last by name alone."""
    pairs = zip(trail[::2], trail[1::2], strict=False)
    links = [{"href": href, "name": name} for href, name in pairs]
    return {"links": links, "here": trail[-1] if len(trail) % 2 else ""}


@register.inclusion_tag("components/tabs.html")
def tabs(entries: Iterable[Mapping[str, Any]], label: str = "") -> dict[str, Any]:
    """Link the parts of a thing; entries have `href`, `name`, and optionally `current`, `count`."""
    return {"entries": entries, "label": label or _("Parts of this page")}


@register.inclusion_tag("components/empty.html")
def empty(title: str, text: str = "", href: str = "", action: str = "") -> dict[str, Any]:
    """Say that there is nothing here yet, why, and what to do."""
    return {"title": title, "text": text, "href": href, "action": action}


@register.inclusion_tag("components/progress.html")
def progress(value: int, maximum: int, label: str, text: str = "") -> dict[str, Any]:
    """Show how far something is; `text` says it in words beside the label."""
    return {"value": value, "maximum": maximum, "label": label, "text": text}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.Context, page: Page[Any], name: str = "page") -> dict[str, Any]:
    """Link the pages before and after, keeping the other parameters of the query."""
    query: QueryDict = context["request"].GET.copy()
    query.pop(name, None)
    kept = query.urlencode()
    return {"page": page, "name": name, "kept": f"{kept}&" if kept else ""}


@register.inclusion_tag("components/undo.html")
def undo(href: str) -> dict[str, Any]:
    """Offer to take back what was just done, at the address that undoes it."""
    return {"href": href}


@register.inclusion_tag("components/heard.html")
def heard(duration_ms: int, heard: Iterable[Any], unheard: Iterable[Any]) -> dict[str, Any]:
    """Draw what of a recording was played by a person, and what nobody played of what counts."""
    heard, unheard = list(heard), list(unheard)
    return {
        "heard": _boxes(heard, duration_ms, 1000),
        "unheard": _boxes(unheard, duration_ms, 1000),
        "heard_ms": drawing.total(heard),
        "unheard_ms": drawing.total(unheard),
    }


@register.inclusion_tag("components/upload_words.html")
def upload_words() -> dict[str, Any]:
    """Give assets/js/upload.js the sentences that it says."""
    return {}


@register.inclusion_tag("components/vector.html")
def vector(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """List what a verifier found; rows have `name`, `state`, `word`, `detail`."""
    return {"rows": rows}


@register.inclusion_tag("components/run_steps.html")
def run_steps(steps: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """List the steps of a pipeline run: `name`, `state`, `word`, `duration_ms`, `detail`."""
    return {
        "steps": [
            {**step, "word": step.get("word") or str(drawing.STATE_WORDS[step["state"]])}
            for step in steps
        ]
    }


@register.simple_tag
def known_purposes() -> tuple[Purpose, ...]:
    """Return every purpose there is, in order, with the phrase that explains it."""
    return PURPOSES


@register.simple_block_tag
def codeblock(content: str, title: str = "") -> SafeString:
    """Set what stands between the tags like `code` does: text, never markup."""
    return render_to_string(
        "components/code.html", {"text": unescape(content).strip("\n"), "title": title}
    )


@register.inclusion_tag("components/code.html")
def code(text: str, title: str = "") -> dict[str, Any]:
    """Show commands or a document in mono, with a button that copies it."""
    return {"text": text.strip("\n"), "title": title}
