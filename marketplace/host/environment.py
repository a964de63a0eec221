"""Settings as the environment has them, each read with the sentence that says what is wrong."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

HOST_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}$){HOST_LABEL}(\.{HOST_LABEL})*")


def flag(name: str, *, default: bool) -> bool:
    """Read a yes/no variable; anything but 1/true/yes/0/false/no is an error that names it."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "1", "true", "yes", "0", "false", "no"}:
        return default if not value else value in {"1", "true", "yes"}
    message = f"{name}={value!r} is not understood: set it to 1 or 0."
    raise ImproperlyConfigured(message)


def secret_key(*, key_dir: Path, is_required: bool) -> str:
    """Return SECRET_KEY, or in embedded mode the one that `manage.py up` made in KEY_DIR.

    Before the first start there is none to read, and a passing one serves `migrate` and the like.
    """
    if key := os.environ.get("SECRET_KEY"):
        return key
    if is_required:
        message = (
            "SECRET_KEY is not set: with DATABASE_URL set, every process needs the same secret. "
            "Set it to 50 or more random characters and keep it out of the repository."
        )
        raise ImproperlyConfigured(message)
    made = key_dir / "secret_key"
    return made.read_text().strip() if made.exists() else get_random_secret_key()


def site_url(*, data_dir: Path, is_embedded: bool) -> str:
    """Return where visitors find this site, without a slash at the end.

    Beside a running `manage.py up`, a command learns the port from what that one wrote down.
    """
    if named := os.environ.get("SITE_URL"):
        return named.rstrip("/")
    written = data_dir / "run" / "site"
    if is_embedded and not os.environ.get("PORT") and written.exists():
        return written.read_text().strip()
    return f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"


def guards(named: str) -> list[str]:
    """Read STEP_ISOLATION: guards with commas between them, or `none`."""
    found = {name.strip() for name in named.split(",")} - {"none"}
    if unknown := found - {"landlock", "namespaces", "seccomp"}:
        message = (
            f"STEP_ISOLATION names {', '.join(sorted(unknown))!r}: it takes landlock, "
            "namespaces and seccomp, with commas, or none."
        )
        raise ImproperlyConfigured(message)
    return sorted(found)


def proxies() -> int:
    """Return how many proxies TRUST_PROXY says there are; 0 believes no forwarded header."""
    value = os.environ.get("TRUST_PROXY") or "0"
    if value.isdecimal() and int(value) < 10:
        return int(value)
    message = f"TRUST_PROXY={value!r} is not understood: set it to how many proxies stand in front."
    raise ImproperlyConfigured(message)


def log_origin(site_url: str) -> str:
    """Return the log's name: LOG_ORIGIN, or the host of SITE_URL without its port.

    It is part of every checkpoint, so it never changes. Others' verifiers take it for the host in
    the log's address, so it is nothing but a host.
    """
    named = os.environ.get("LOG_ORIGIN") or urlsplit(site_url).hostname or ""
    if HOST_NAME.fullmatch(named):
        return named
    message = (
        f"The log can't be called {named!r}: its name is a bare host name in lower case, without a "
        "port or a path. Set LOG_ORIGIN to one, such as log.example.org."
    )
    raise ImproperlyConfigured(message)
