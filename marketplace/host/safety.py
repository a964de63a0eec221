"""What a site must not start with once others can reach it."""

import ipaddress
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

LEAST_SECRET = 50
"""Characters of a secret, as Django counts them (security.W009)."""
LEAST_VARIETY = 5
EXAMPLES = ("change-me", "django-insecure")


@dataclass(frozen=True)
class Start:
    """What was configured."""

    site_url: str
    allowed_hosts: Collection[str]
    secret_key: str
    database_url: str
    behind_proxy: bool
    """Whether a proxy that ends TLS says so."""

    @property
    def is_alone(self) -> bool:
        """Whether nobody is meant to come from another machine: every name is this one's."""
        hosts = (urlsplit(self.site_url).hostname or "", *self.allowed_hosts)
        return not self.behind_proxy and all(map(is_loopback, hosts))


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine alone (RFC 1122, RFC 4291, RFC 6761)."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def require(start: Start) -> None:
    """Raise ImproperlyConfigured with everything that is wrong, and what to set."""
    if faults := list(faults_of(start)):
        message = "Commonhold does not start like this:\n" + "\n".join(f"- {one}" for one in faults)
        raise ImproperlyConfigured(message)


def faults_of(start: Start) -> Iterator[str]:
    """Yield what is wrong, each with what to set."""
    host = urlsplit(start.site_url).hostname or ""
    is_secure = start.site_url.startswith("https://")
    if "*" in start.allowed_hosts:
        yield "ALLOWED_HOSTS=* answers to every name: list the names of the site, with commas."
    if any(example in start.database_url for example in EXAMPLES):
        yield "DATABASE_URL has the example's password: set one of your own."
    if start.database_url or not start.is_alone:
        yield from secret_faults(start.secret_key)
    if start.is_alone:
        return
    if is_loopback(host) and not is_secure:
        yield (
            f"SITE_URL={start.site_url} is this machine alone, but ALLOWED_HOSTS or TRUST_PROXY "
            "lets others come: set it to the https address that they type, or let every name be "
            "127.0.0.1 or localhost and TRUST_PROXY 0."
        )
    elif not is_secure:
        yield f"SITE_URL={start.site_url} is not https: only a loopback address may go without."
    elif not start.behind_proxy:
        yield (
            "SITE_URL is https, but TRUST_PROXY is 0: put a proxy in front that ends TLS and sets "
            "X-Forwarded-Proto itself, and say so with TRUST_PROXY=1."
        )
    if not any(names(host, pattern) for pattern in start.allowed_hosts):
        yield f"ALLOWED_HOSTS lacks {host}, the host of SITE_URL."


def secret_faults(secret_key: str) -> Iterator[str]:
    """Yield what is wrong with a secret."""
    is_example = any(example in secret_key for example in EXAMPLES)
    if is_example or len(secret_key) < LEAST_SECRET or len(set(secret_key)) < LEAST_VARIETY:
        yield (
            f"SECRET_KEY is no secret: set {LEAST_SECRET} or more random characters, such as "
            "`openssl rand -base64 48` prints."
        )


def names(host: str, pattern: str) -> bool:
    """Tell whether an entry of ALLOWED_HOSTS, which may begin with a dot, names a host."""
    pattern = pattern.lower()
    return host == pattern or (pattern.startswith(".") and f".{host}".endswith(pattern))
