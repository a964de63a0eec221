"""Mail that did not leave: on one machine without a mail server, it is read here."""

import email
import email.policy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

MAX_SHOWN = 50
BOUNDARY = b"-" * 79 + b"\n"


@dataclass(frozen=True)
class Message:
    """One message as it would have been sent."""

    to: str
    subject: str
    text: str
    written_at: datetime


def show(request: HttpRequest) -> HttpResponse:
    """Show the newest messages. Where mail is sent there is no such page."""
    if not settings.SHOW_MAIL:
        raise Http404
    return render(
        request, "pages/mail/index.html", {"mails": newest(Path(settings.EMAIL_FILE_PATH))}
    )


def newest(folder: Path) -> list[Message]:
    """Read the files that Django's file backend wrote, newest message first."""
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    found = [message for path in files[:MAX_SHOWN] for message in reversed(read(path))]
    return found[:MAX_SHOWN]


def read(path: Path) -> list[Message]:
    """Read the messages of one file; a line of dashes ends each."""
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    messages = []
    for raw in path.read_bytes().split(BOUNDARY):
        if not raw.strip():
            continue
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        body = parsed.get_body(("plain",))
        messages.append(
            Message(
                to=str(parsed["to"]),
                subject=str(parsed["subject"]),
                text=body.get_content() if body else "",
                written_at=written_at,
            )
        )
    return messages
