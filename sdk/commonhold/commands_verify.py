"""`verify`."""

from pathlib import Path

import click

from commonhold import checkpoints
from commonhold.checkpoints import LogDamagedError, Seen
from commonhold.fetching import FetchError, fetch_first
from commonhold.report import Report, State
from commonhold.sentences import Sentence, _, one_after_another
from commonhold.terminal import DONE, REFUSED, Outcome, reporting
from commonhold.tiles import tile_nodes
from commonhold.verify import Memory
from commonhold.verify import verify as verify_target
from commonhold.vouching import Vouched

MARKS = {State.OK: "ok", State.WARNING: "WARNING", State.FAILED: "FAILED", State.UNKNOWN: "unknown"}
HOLDS = "Nothing failed. This shows who asserted what and when, not that it is so."
AGREES = _("It agrees with the checkpoint that you keep of this log.")
NOT_COMPARED = _("It was not compared with the checkpoint that you keep of this log.")


def vector_lines(report: Report) -> list[str]:
    """Return the vector as lines for people. That nobody vouched for the keys is said first."""
    checks = {**report.vector, "keys": report.trust}
    lines = [
        f"{name:<10} {MARKS[check.state]:<8} {check.sentence}" for name, check in checks.items()
    ]
    if report.passed:
        return [*lines, HOLDS]
    if State.FAILED in {check.state for check in checks.values()}:
        lines.append("Verification FAILED.")
    if report.trust.state is State.UNKNOWN:
        lines.insert(0, f"NOT VERIFIED. {report.trust.sentence}")
    return lines


def against_memory(*, offline: bool) -> Memory:
    """Return what holds a download's checkpoint against those that `log check` keeps.

    Offline, only those of one size can be compared. Raises LogRewrittenError when it is called.
    """

    def remembered(keys: Vouched, note: str) -> Sentence | None:
        trust = keys.trust
        now, said = checkpoints.opened(note, trust), None
        for seen in checkpoints.of_log(trust):
            older, newer = sorted((seen, now), key=lambda one: one.checkpoint.size)
            size = newer.checkpoint.size
            if older.checkpoint.size == size:
                checkpoints.require_growth(older, newer, trust, None)
                said = AGREES
            elif offline:
                said = said or NOT_COMPARED
            else:
                said = _compared(older, newer, keys)
        return said

    return remembered


def _compared(older: Seen, newer: Seen, keys: Vouched) -> Sentence:
    size = newer.checkpoint.size
    nodes = tile_nodes(size, lambda path: fetch_first(keys.sites, f"/log/{path}"))
    try:
        checkpoints.require_growth(older, newer, keys.trust, nodes)
    except (FetchError, LogDamagedError) as error:
        return one_after_another(NOT_COMPARED, error.said)
    return AGREES


@click.command()
@click.argument("target", type=click.Path(exists=True, path_type=Path))
@click.option("--offline", is_flag=True, help="Ask nobody; judge by what was downloaded.")
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The site's trusted_root.json, obtained another way.",
)
@click.option(
    "--trust-on-first-use",
    "first_use",
    is_flag=True,
    help="Believe the keys that came with it, if nobody vouches for any.",
)
@reporting
def verify(target: Path, *, offline: bool, trust: Path | None, first_use: bool) -> Outcome:
    """Check a downloaded folder, or a manifest alone, and print what holds and what does not.

    The keys that count are those given with --trust, else those kept of the sites that you have
    downloaded from. Where nobody vouches for the keys, nothing is verified and the exit code is 1.
    """
    report = verify_target(
        target,
        trust=trust,
        offline=offline,
        first_use=first_use,
        remembered=against_memory(offline=offline),
    )
    return Outcome(report.as_dict(), vector_lines(report), DONE if report.passed else REFUSED)
