"""Letters that the site sent in a test, and the links in them."""

import re

from django.core import mail


def to(address: str) -> list[mail.EmailMessage]:
    """The letters to an address, the oldest first."""
    return [letter for letter in mail.outbox if letter.to == [address]]


def links(text: str) -> list[str]:
    """The paths of the site's own links in a text."""
    return re.findall(r"http://testserver(/\S+)", text)


def link(address: str) -> str:
    """The path of the first link in the newest letter to an address."""
    return links(str(to(address)[-1].body))[0]
