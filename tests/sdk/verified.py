"""Asking the verifier about a bundle that a test wrote, almost an hour after it was made."""

from datetime import timedelta

from commonhold import pins, verify
from commonhold.manifest import PROOFS

from tests.sdk import bundles

LATER = bundles.NOW + timedelta(minutes=59)
STATES = ("signature", "logged", "files", "license", "consent")
# Offline nobody can ask whether the license was revoked.
HOLDS = dict.fromkeys(STATES, "ok") | {"license": "unknown"}


def never(version):
    """Fetch an earlier version of a trusted root, where none is needed."""
    message = f"version {version} is not needed"
    raise AssertionError(message)


def pin(site, address=None, **changes):
    """Keep a site's keys for its address, as a download of an hour before did."""
    data = site.trusted_root(**changes)
    return pins.pin(address or site.address, data, never, now=bundles.NOW)


def states(report):
    """The vector as words."""
    return {name: str(check.state) for name, check in report.vector.items()}


def checked(folder, **options):
    """The report on a folder."""
    return verify.verify(folder, now=options.pop("now", LATER), **options)


def papers(bundle):
    """The papers of a release without its files."""
    return verify.Documents.of({name: (bundle / name).read_bytes() for name in PROOFS})
