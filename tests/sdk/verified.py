"""Asking the verifier about a bundle that a test wrote, an hour after it was made."""

from datetime import timedelta

from commonhold import verify
from commonhold.filecheck import PROOFS

from tests.sdk import bundles

LATER = bundles.NOW + timedelta(hours=1)
STATES = ("signature", "logged", "files", "license", "consent")


def states(report):
    """The vector as words."""
    return {name: str(check.state) for name, check in report.vector.items()}


def checked(folder, **options):
    """The report on a folder."""
    return verify.verify(folder, now=options.pop("now", LATER), **options)


def papers(bundle):
    """The papers of a release without its files."""
    return verify.Documents.of({name: (bundle / name).read_bytes() for name in PROOFS})
