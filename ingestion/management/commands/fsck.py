"""`manage.py fsck`: compare what the database names with what lies in the store."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ingestion.archive import fsck
from ingestion.archive.fsck import Report


class Command(BaseCommand):
    """Say what is damaged or missing, and what lies there that nothing names."""

    help = (
        "Compares the rows with the bytes, both ways: bytes that are damaged or missing, and bytes "
        "that nothing names. Exit code 1 when something is damaged. Removes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take `--quick` and `--json`."""
        parser.add_argument(
            "--quick",
            action="store_true",
            help="look only whether the bytes are there in their size, without reading them",
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *, quick: bool, **options: Any) -> None:
        """Compare, print, and end with 1 when something is damaged."""
        report = fsck.compare(quick=quick)
        if options["json"]:
            self.stdout.write(json.dumps({"quick": quick, **asdict(report)}, indent=2))
        else:
            self.print_report(report, quick=quick)
        if report.damaged:
            sys.exit(1)

    def print_report(self, report: Report, *, quick: bool) -> None:
        """Print what was found, for people."""
        how = "looked at, not read" if quick else "read whole"
        self.stdout.write(f"{report.blobs} blobs, {report.size} bytes: {how}.")
        for damage in report.damaged:
            self.stdout.write(f"DAMAGED {damage.sha256} ({damage.fault})")
            for name in damage.named_by:
                self.stdout.write(f"        {name}")
        unnamed = f"{len(report.unnamed)} blobs, {sum(report.unnamed.values())} bytes"
        self.stdout.write(f"No row names {unnamed}: swept a day after they were let go.")
        unknown = f"{len(report.unknown)} blobs, {sum(report.unknown.values())} bytes"
        self.stdout.write(f"No row knows {unknown}: written down by the sweeper, then swept.")
        if report.damaged:
            self.stdout.write(
                f"{len(report.damaged)} damaged: nothing of them is handed out. Bring these files "
                "back from a backup, and run this again."
            )
        else:
            self.stdout.write("Nothing is damaged.")
