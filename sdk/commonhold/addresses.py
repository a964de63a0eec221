"""Addresses of sites, as a person types them, and what lies below them."""

import ipaddress
import unicodedata
from urllib.parse import urlsplit

from commonhold.errors import CommonholdError
from commonhold.sentences import _

DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST = 8192
INSIDE = frozenset({"localhost", "local", "internal"})
MAX_HOST, MAX_LABEL = 253, 63


class AddressError(CommonholdError):
    """Text that is not the address of a site, or not one that may be used here."""

    code = "invalid-address"
    status = 422


def is_clean(text: str) -> bool:
    """Tell whether text has no space and nothing invisible in it; urlsplit drops line breaks."""
    return bool(text) and all(unicodedata.category(char)[0] not in "CZ" for char in text)


def is_host(host: str) -> bool:
    """Tell whether a host can be looked up: names have labels of 1 to 63 characters (RFC 1035)."""
    labels = host.removesuffix(".").split(".")
    return len(host) <= MAX_HOST and all(0 < len(label) <= MAX_LABEL for label in labels)


def site_address(typed: str) -> str:
    """Return the address of a site in its one form: `https://host[:port][/path]`, or AddressError.

    The host in lower case, without the port that its scheme has anyway and without a slash at the
    end, so that what is kept for a site is found however somebody types it.
    """
    sentence = _("“%(address)s” is not the address of a site. Write it as https://HOST.")
    shown = AddressError(sentence, address=typed[:200])
    if not is_clean(typed) or len(typed) > LONGEST:
        raise shown
    try:
        parts = urlsplit(typed)
        port = parts.port
    except ValueError as error:
        raise shown from error
    if parts.scheme not in DEFAULT_PORTS or not is_host(parts.hostname or ""):
        raise shown
    if parts.username is not None or parts.query or parts.fragment:
        raise shown
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    place = host if port in {None, DEFAULT_PORTS[parts.scheme]} else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


def is_this_machine(address: str) -> bool:
    """Tell whether an address's host is written as a loopback IP. A name can lead anywhere."""
    try:
        return ipaddress.ip_address(urlsplit(address).hostname or "").is_loopback
    except ValueError:
        return False


def require_web(url: str, site: str) -> str:
    """Return an address that the site `site` names, or AddressError.

    It must be of the web, and as well protected on its way as the site itself.
    """
    try:
        parts = urlsplit(url)
        fine = parts.scheme in DEFAULT_PORTS and is_host(parts.hostname or "") and is_clean(url)
        fine = fine and parts.port is not False and len(url) <= LONGEST
    except ValueError:
        fine = False
    if not fine:
        sentence = _("%(site)s names “%(address)s”, which is no address of the web.")
        raise AddressError(sentence, site=site, address=url[:200])
    if site.startswith("https:") and parts.scheme != "https":
        sentence = _("%(site)s names %(address)s, which is not protected on its way (https).")
        raise AddressError(sentence, site=site, address=url[:200])
    return url


def is_inside(address: str) -> bool:
    """Tell whether an address is written as one of this machine or of a private network."""
    host = (urlsplit(address).hostname or "").removesuffix(".")
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        last = host.rpartition(".")[2]
        # Systems read 127.1 and 0x7f.1 as IPs as well.
        return "." not in host or last in INSIDE or last[:1].isdigit()


def may_lead(typed: str, site: str) -> bool:
    """Tell whether a client that knows a site by `typed` may ask where the site says it is."""
    try:
        require_web(site, typed)
    except AddressError:
        return False
    return is_inside(typed) or not is_inside(site)


def is_below(url: str, *bases: str) -> bool:
    """Tell whether an address lies below one of others, host and port and all."""
    return is_clean(url) and any(url.startswith(f"{base.rstrip('/')}/") for base in bases if base)
