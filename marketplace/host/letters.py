"""Letters that did not leave: where there is no mail server they lie in a folder and are read here.

They hold links that set passwords. So they are shown to whoever runs the site, or has the code that
`manage.py up` prints at each start, and are removed after a week.
"""

import email
import email.policy
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

MAX_SHOWN = 50
KEPT_SECONDS = 7 * 24 * 3600
BOUNDARY = b"-" * 79 + b"\n"


@dataclass(frozen=True)
class Message:
    """One message as it would have been sent."""

    to: str
    subject: str
    text: str
    written_at: datetime


def code_file(data_dir: Path) -> Path:
    """Return where the code of this start lies."""
    return data_dir / "run" / "mail_code"


def make_code(data_dir: Path) -> str:
    """Make a new code that opens the letters; the one of an earlier start opens nothing more."""
    path, code = code_file(data_dir), secrets.token_urlsafe(16)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(code)
    return code


def code_of(data_dir: Path) -> str:
    """Return the code of this start; "" where there is none, which opens nothing."""
    path = code_file(data_dir)
    return path.read_text() if path.exists() else ""


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


def remove_old(folder: Path) -> int:
    """Remove letters that were written more than a week ago, and return how many files that were.

    The links in them stopped working before.
    """
    oldest = time.time() - KEPT_SECONDS
    old = [path for path in folder.glob("*.log") if path.stat().st_mtime < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
