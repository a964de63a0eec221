"""`verify`."""

from pathlib import Path

import click

from commonhold.report import Report, State
from commonhold.terminal import DONE, REFUSED, Outcome, reporting
from commonhold.verify import verify as verify_target

MARKS = {State.OK: "ok", State.WARNING: "WARNING", State.FAILED: "FAILED", State.UNKNOWN: "unknown"}


def vector_lines(report: Report) -> list[str]:
    """Return the vector as lines for people."""
    checks = {**report.vector, "keys": report.trust}
    lines = [
        f"{name:<10} {MARKS[check.state]:<8} {check.sentence}" for name, check in checks.items()
    ]
    if report.passed:
        return [*lines, "Nothing failed. This shows who asserted what and when, not that it is so."]
    return [*lines, "Verification FAILED."]


@click.command()
@click.argument("target", type=click.Path(exists=True, path_type=Path))
@click.option("--offline", is_flag=True, help="Ask nobody; judge by what was downloaded.")
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The site's trusted_root.json, obtained another way.",
)
@reporting
def verify(target: Path, *, offline: bool, trust: Path | None) -> Outcome:
    """Check a downloaded folder, or a manifest alone, and print what holds and what does not."""
    report = verify_target(target, trust=trust, offline=offline)
    return Outcome(report.as_dict(), vector_lines(report), DONE if report.passed else REFUSED)
