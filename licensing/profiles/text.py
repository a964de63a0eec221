"""The human text of a license, written from its grant vector. This text is what binds.

It is English, and stays so: what was agreed to is not translated. What it allows and denies is
shown beside it in the reader's language as well (ALLOWED, DENIED are sentences).
"""

import textwrap
from collections.abc import Iterable

from commonhold import purposes
from commonhold.sentences import _

from licensing.profiles.vector import GrantVector

WIDTH = 78

ALLOWED = {
    "speech-recognition": _("train, adapt and run systems that write down speech"),
    "speech-synthesis": _(
        "train, adapt and run systems that speak in voices that are nobody's own"
    ),
    "language-modeling": _("train, adapt and run language models on the words"),
    "evaluation": _("measure how well systems work"),
    "research": _("study it, and publish what was found, with short quotations as evidence"),
    "commercial": _("sell or charge for the systems and services that result"),
    "redistribution": _("copy the data and pass it on to anyone, whole or in part"),
}
DENIED = {
    "speech-recognition": _("train systems that write down speech"),
    "speech-synthesis": _("train systems that speak"),
    "language-modeling": _("train language models on the words"),
    "evaluation": _("use it as a test set"),
    "research": _("use it for research"),
    "commercial": _("sell, or charge for, the data or what was made with it"),
    "redistribution": _("pass the data on to anybody, whole or in part, or make it public"),
    "voice-cloning": _("imitate the voice of a person who is heard"),
    "speaker-identification": _("find out or check who a speaker is"),
    "biometric-surveillance": _("watch, follow or sort people by their voice or body"),
}


def license_text(*, name: str, spdx: str, iri: str, legal_code: str, vector: GrantVector) -> str:
    """Return the license in plain text, lines of at most 78 characters."""
    parts = [title(name=name, spdx=spdx, iri=iri)]
    if legal_code:
        parts += open_license(spdx=spdx, legal_code=legal_code, vector=vector)
    else:
        parts += own_license(vector)
    return "\n\n".join(parts) + "\n"


def title(*, name: str, spdx: str, iri: str) -> str:
    """Return the head of the text."""
    return f"{name}\n{'=' * len(name)}\nSPDX-License-Identifier: {spdx}\n{iri}"


def open_license(*, spdx: str, legal_code: str, vector: GrantVector) -> list[str]:
    """Return the text of a license whose legal code stands elsewhere."""
    naming = (
        " You must name the publisher of the dataset, link to it, and say what you changed."
        if vector.attribution
        else ""
    )
    return [
        paragraph(
            "The publisher licenses the copyright and similar rights in this release "
            f"under {spdx}. "
            f"The legal code at {legal_code} is what binds; this page only points to it.{naming}"
        ),
        paragraph("In short, you may"),
        bullets(ALLOWED[slug] for slug in in_order(vector.purposes)),
        paragraph(
            "A license of copyright does not reach the rights that people have in their own voice "
            "and data. The people who are heard did not agree that anybody should"
        ),
        bullets(DENIED[slug] for slug in in_order(vector.denies)),
        paragraph(
            "If one of them withdraws, new copies are no longer given out here. The license of a "
            "copy that you hold stays as it is; what the law of data protection asks "
            "of you stays too."
        ),
        prevailing(),
    ]


def own_license(vector: GrantVector) -> list[str]:
    """Return the numbered text of one of our own licenses."""
    may = (
        "1. What you may do. The publisher lets you, the licensee, use this release, "
        "anywhere in the world, to"
    )
    may_not = "2. What you may not do. You may not"
    rest = [duration(vector), models(vector), *duties(vector), liability()]
    return [
        paragraph(may),
        bullets(ALLOWED[slug] for slug in in_order(vector.purposes)),
        paragraph(may_not),
        bullets(DENIED[slug] for slug in in_order(vector.denies)),
        *(paragraph(f"{number}. {text}") for number, text in enumerate(rest, start=3)),
        prevailing(),
    ]


def duration(vector: GrantVector) -> str:
    """Say how long the license holds."""
    if vector.term_days is None:
        return "How long. The license holds for good, unless you break it."
    return (
        f"How long. The license holds for {vector.term_days} days from the moment it is granted. "
        "After that you delete the data."
    )


def models(vector: GrantVector) -> str:
    """Say what becomes of models."""
    after = " also after the license ends" if vector.term_days is not None else ""
    commercial = "" if "commercial" in vector.purposes else ", without charging for them"
    return (
        "Models. You may keep, run and publish the models that you trained in "
        f"accordance with it{after}{commercial}. "
        "A model that gives the recordings themselves back counts as the data."
    )


def duties(vector: GrantVector) -> list[str]:
    """Return the licensee's duties."""
    found = []
    if vector.attribution:
        found.append(
            "Credit. Where you describe your data, name the dataset, its version and its publisher."
        )
    if vector.delete_on_withdrawal_days is not None:
        days = vector.delete_on_withdrawal_days
        found.append(
            "Withdrawal. The people who are heard may withdraw their consent. When you are told of "
            f"it, you delete their part within {days} days, use it for nothing new, "
            "and confirm that "
            "you did. Models that were trained before need not be trained again."
        )
    if vector.benefit_share_bps:
        share = percent(vector.benefit_share_bps)
        found.append(
            f"Benefit share. {share} of the price goes to the people who are heard in this dataset."
        )
    if not vector.sublicense:
        found.append("Only you. The license can't be passed on, lent or shared with others.")
    return found


def liability() -> str:
    """Say what nobody promises."""
    return (
        "No promises. The data is given as it is. Personal data was looked for and removed as the "
        "manifest says; if you meet some all the same, you do not use it, and you "
        "tell the publisher."
    )


def prevailing() -> str:
    """Say which of the two forms binds."""
    return paragraph(
        "The manifest repeats these terms for machines. Where the two differ, this text prevails."
    )


def percent(bps: int) -> str:
    """Write basis points as a percentage, exactly."""
    whole, rest = divmod(bps, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


def in_order(slugs: Iterable[str]) -> list[str]:
    """Sort purposes as the vocabulary has them."""
    wanted = set(slugs)
    return [purpose.slug for purpose in purposes.PURPOSES if purpose.slug in wanted]


def paragraph(text: str) -> str:
    """Wrap a paragraph."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False)


def bullets(lines: Iterable[str]) -> str:
    """Wrap a list."""
    return "\n".join(
        textwrap.fill(
            line, WIDTH, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False
        )
        for line in lines
    )
