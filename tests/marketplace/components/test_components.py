import re
from pathlib import Path

import pytest
import yaml
from django import forms
from django.core.paginator import Paginator
from django.template import engines
from django.test import RequestFactory

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
COMPONENTS = Path("templates/components")


def render(source, request=None, **context):
    text = "{% load commonhold %}" + source
    return engines["django"].from_string(text).render(context, request)


def test_the_thread_is_an_ordered_list_that_says_every_state():
    page = render("{% thread stations %}", stations={"source": {"state": "done", "digest": DIGEST}})
    assert page.count("<li") == 8
    assert "Source" in page
    assert "Waiting" in page
    assert 'tabindex="0"' in page
    assert DIGEST[:8] in page


def test_the_tiny_thread_takes_no_tab_stops_and_still_speaks():
    page = render('{% thread "done" size="tiny" %}')
    assert "tabindex" not in page
    assert page.count("visually-hidden") == 8


def test_a_redacted_word_is_a_bar_that_says_its_kind():
    page = render('{% transcript text="Call ([PHONE]), after four." %}')
    assert "[PHONE]" not in page
    assert "phone number removed" in page
    assert "Call (" in page
    assert "), after four." in page


def test_a_redacted_word_in_a_list_keeps_its_punctuation():
    words = [{"text": "([PHONE]),", "start_ms": 0, "end_ms": 500}]
    page = render("{% transcript words=words %}", words=words)
    assert re.search(r"\(<span class=\"bar.*</span></span>\),", page)
    assert 'data-start="0"' in page


def test_words_with_times_never_lose_the_punctuation_between_them():
    words = [
        {"text": "Call", "start_ms": 0, "end_ms": 200},
        {"text": "[PHONE]", "start_ms": 200, "end_ms": 900},
        {"text": "today", "start_ms": None, "end_ms": None},
    ]
    page = render(
        "{% transcript text=text words=words %}", text="Call: [PHONE], today!", words=words
    )
    assert (
        '<span class="spoken" data-start="0" data-end="200">Call</span>: <span class="bar' in page
    )
    assert re.search(r'data-start="200" data-end="900".*</span></span>, today!', page)
    assert "[PHONE]" not in page


def test_a_text_is_set_whole_where_its_words_are_others():
    words = [{"text": "Ring", "start_ms": 0, "end_ms": 200}]
    page = render("{% transcript text=text words=words %}", text="Call ([PHONE]).", words=words)
    assert "Call (" in page
    assert "Ring" not in page
    assert "phone number removed" in page


def test_words_of_a_recording_are_never_markup():
    page = render('{% transcript text="<script>alert(1)</script>" %}')
    assert "<script>" not in page


def test_right_to_left_speech_runs_right_to_left():
    assert 'dir="rtl"' in render('{% transcript text="مرحبا" language="ar" %}')


def test_a_waveform_says_what_its_bars_cover():
    page = render("{% waveform peaks 1000 bars=bars %}", peaks=[1, 2], bars=[[200, 400, "phone"]])
    assert "phone number removed" in page
    assert "wave-bar" in page


def test_consent_that_covers_half_says_so():
    page = render("{% coverage 60000 covered %}", covered=[[0, 30000]])
    assert "Consent covers 30 s of 1 min" in page
    assert "No consent for 30 s" in page


def test_a_gap_too_short_for_a_word_is_not_told():
    page = render("{% coverage 60000 covered %}", covered=[[0, 59_981]])
    assert "No consent for" not in page
    assert "covers all" not in page


def test_a_recording_without_any_consent_says_just_that():
    page = render("{% coverage 60000 covered %}", covered=[])
    assert "Nobody has consented yet" in page
    assert "covers 0" not in page.partition("coverage-key")[2]


def test_a_digest_shows_eight_characters_and_copies_whole():
    page = render("{% digest value %}", value=f"sha256:{DIGEST}")
    assert f">{DIGEST[:8]}</span>" in page
    assert f'data-copy="sha256:{DIGEST}"' in page


def test_a_time_and_a_digest_can_stand_inside_a_sentence():
    page = render(
        '{% load i18n %}{% when "2026-03-03" "day" as day %}{% digest value as root %}'
        "{% blocktranslate %}Sealed on {{ day }} as {{ root }}{% endblocktranslate %}",
        value=DIGEST,
    )
    assert page.startswith('Sealed on <time datetime="2026-03-03"')
    assert f">{DIGEST[:8]}</span>" in page


def test_the_cheapest_of_several_prices_says_from():
    page = render('{% price 4000 "EUR" 365 least=True %}')
    assert re.sub(r"<[^>]+>", "", page) == "from €40 a year"


def test_a_time_carries_utc_in_its_title():
    page = render('{% when "2026-03-03T14:00:00Z" %}')
    assert 'datetime="2026-03-03T14:00:00Z"' in page
    assert 'title="3 March 2026, 14:00 UTC"' in page


def test_a_price_says_its_term_and_test():
    page = render('{% price 4000 "EUR" 365 test=True %}')
    assert "€40" in page
    assert "a year" in page
    assert "TEST" in page
    assert "for good" in render('{% price 0 "EUR" %}')


def test_a_card_without_an_offer_says_so():
    dataset = {
        "title": "Market voices",
        "url": "/d/a/b",
        "organization": {"name": "A"},
        "language": "sw",
        "offers": [],
    }
    assert "No license offered" in render("{% card dataset %}", dataset=dataset)


def test_a_card_shows_the_lowest_price_of_several():
    offers = [
        {"profile": "a", "price": {"amount_minor": amount, "currency": "EUR"}, "term_days": 365}
        for amount in (9000, 4000)
    ]
    dataset = {
        "title": "T",
        "url": "/",
        "organization": {"name": "A"},
        "language": "sw",
        "offers": offers,
    }
    page = render("{% card dataset %}", dataset=dataset)
    assert "from" in page
    assert "€40" in page


class ExampleForm(forms.Form):
    title = forms.CharField(help_text="What people read first.")


def test_a_field_that_came_back_wrong_is_tied_to_its_error():
    page = render("{% field form.title %}", form=ExampleForm({}))
    assert 'aria-invalid="true"' in page
    assert 'id="id_title_error"' in page
    assert "id_title_helptext" in page


def test_pages_keep_the_rest_of_the_query():
    request = RequestFactory().get("/?language=sw&page=2")
    page = render("{% pagination page %}", request, page=Paginator(range(10_000), 10).page(2))
    assert "?language=sw&amp;page=3" in page
    assert "of 10,000" in page


def test_commands_between_tags_are_text():
    page = render('{% codeblock "T" %}wc -c &lt; payload{% endcodeblock %}')
    assert "wc -c &lt; payload" in page
    assert "&amp;lt;" not in page


@pytest.mark.parametrize("path", sorted(Path("templates").rglob("*.html")), ids=str)
def test_no_template_carries_scripts_or_styles_of_its_own(path):
    text = path.read_text()
    # "one=" is a variable of ours, and no event.
    assert not re.search(r"<style|\sstyle=|\son(?!e=)[a-z]+=|hx-on|javascript:", text)
    # What is JSON is data, and runs nowhere.
    data = r'[^>]*\stype="application/json"'
    assert not re.search(rf"<script(?![^>]*\ssrc=)(?!{data})", text)


def test_every_component_stands_in_the_inventory():
    inventory = yaml.safe_load((COMPONENTS / "components.yaml").read_text())
    assert {path.stem for path in COMPONENTS.glob("*.html")} <= set(inventory)
