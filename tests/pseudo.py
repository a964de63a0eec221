"""A language in which every translated sentence stands in ⟦brackets⟧, its parameters in ⟨others⟩,
and a reader of pages that finds the words which are neither translated nor data."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import allauth
import django
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
LANGUAGE = "eo"
"""Esperanto: known to CLDR, so that its dates are not English ones, and spoken by no page yet."""
SOURCES = ("accounts", "ingestion", "licensing", "marketplace", "notary", "sdk", "templates")
LIBRARIES = (
    (Path(django.__file__).parent, "en"),
    (Path(allauth.__file__).parent, "de"),
)
# Names and units that are the same in every language.
NAMES = ("Commonhold", "SHA-256", "API", "Python", "dBFS", "dB")
SIZE = re.compile(r"\d[\d.,\s]*\s?[kMGT]?B\b")
PARAMETER = re.compile(r"%\(\w+\)[sd]")
CODE = re.compile(r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,})\b")
# Code, times, and the names of languages that an input proposes, which are CLDR's.
NOT_READ = frozenset({"script", "style", "code", "pre", "time", "datalist"})
VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "path", "rect", "line", "use"})
SPOKEN = ("aria-label", "alt", "title", "placeholder", "data-label")


def make(folder: Path) -> Path:
    """Write the catalog into `folder`; return what LOCALE_PATHS has to name.

    The sentences are those that `manage.py makemessages` finds, and those of the libraries.
    """
    work = folder / "work"
    for name in SOURCES:
        shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", work)
    (work / "static").mkdir()
    subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "makemessages", "--locale", LANGUAGE],
        cwd=work,
        check=True,
        capture_output=True,
        env=os.environ | {"DATA_DIR": str(folder / "data"), "PYTHONPATH": str(work / "sdk")},
    )
    catalog = Catalog(locale=LANGUAGE, fuzzy=False)
    own = [work / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"]
    theirs = [
        path for at, code in LIBRARIES for path in at.rglob(f"locale/{code}/LC_MESSAGES/django.po")
    ]
    for path in (*own, *theirs):
        with path.open("rb") as file:
            add(catalog, read_po(file))
    target = folder / "locale" / LANGUAGE / "LC_MESSAGES"
    target.mkdir(parents=True)
    with (target / "django.mo").open("wb") as file:
        write_mo(file, catalog)
    return folder / "locale"


def add(catalog: Catalog, found: Catalog) -> None:
    """Put every message of one catalog into another, in brackets."""
    for message in found:
        if not message.id:
            continue
        forms = message.id
        told = tuple(map(bracketed, forms)) if isinstance(forms, tuple) else bracketed(forms)
        catalog.add(forms, told, context=message.context)


def bracketed(sentence: str) -> str:
    """Return a sentence in brackets, its parameters in those that lead out again."""
    return f"⟦{PARAMETER.sub(lambda found: f'⟨{found[0]}⟩', sentence)}⟧"


def leaks(page: str, known: Iterable[str] = ()) -> list[str]:
    """Return the words of a page that stand outside of brackets and are none of `known`."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    data = sorted({str(one) for one in known if one} | set(NAMES), key=len, reverse=True)
    return [text for text in map(str.strip, reader.outside) if has_words(text, data)]


def has_words(text: str, data: list[str]) -> bool:
    """Whether a text has letters that are no data, no size and no digest."""
    for one in data:
        text = text.replace(one, " ")
    return any(map(str.isalpha, CODE.sub(" ", SIZE.sub(" ", text))))


class Reader(HTMLParser):
    """Collects what people see and hear outside of brackets.

    Code and times are passed over, and whatever says that it is in another language.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.within = ""
        self.open: list[tuple[str, bool]] = []

    @property
    def is_silent(self) -> bool:
        """Whether what stands here is not ours to translate."""
        return any(silent for _, silent in self.open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        silent = tag in NOT_READ or given.get("lang", LANGUAGE) != LANGUAGE
        if not silent and not self.is_silent:
            self.attributes(tag, given)
        if tag not in VOID:
            self.open.append((tag, silent))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            continue

    def attributes(self, tag: str, given: dict[str, str]) -> None:
        """Read the attributes that people read or hear."""
        names = list(SPOKEN)
        if tag == "meta" and given.get("name") == "description":
            names.append("content")
        if tag == "input" and given.get("type") in {"submit", "button", "reset"}:
            names.append("value")
        names += [name for name in given if name.startswith("data-say")]
        for name in names:
            self.outside += parts(given.get(name, ""), "")[0]

    def handle_data(self, data: str) -> None:
        if not self.is_silent:
            found, self.within = parts(data, self.within)
            self.outside += found


def parts(text: str, within: str) -> tuple[list[str], str]:
    """Return what of a text is not translated, and the brackets that are open where it ends."""
    found, here = [], ""
    for char in text:
        if char in "⟦⟨⟧⟩":
            found, here = [*found, here], ""
            within = within + char if char in "⟦⟨" else within[:-1]
        elif not within.endswith("⟦"):
            here += char
    return [*found, here], within
