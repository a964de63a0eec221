"""Letters that a site without a mail server keeps in its folder, and the links in them."""

import email
import email.policy
import re
from pathlib import Path

BETWEEN = b"-" * 79 + b"\n"


def link(mailbox: Path, address: str) -> str:
    """The first link in the newest letter to an address."""
    files = sorted(mailbox.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
    found = [letter for path in files for letter in read(path) if letter["to"] == address]
    body = found[-1].get_body(("plain",))
    assert body is not None
    (first, *_) = re.findall(r"https?://\S+", body.get_content())
    return str(first)


def read(path: Path) -> list[email.message.EmailMessage]:
    """The letters of one file."""
    raw = [part for part in path.read_bytes().split(BETWEEN) if part.strip()]
    return [email.message_from_bytes(part, policy=email.policy.default) for part in raw]
