"""`manage.py catch_up`: close what ended and list what changed, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingestion.news import CursorAhead
from licensing import following
from marketplace import listings


class Command(BaseCommand):
    """Read the news that were not read yet, or make everything that follows them anew."""

    help = "Closes offers whose consent ended and brings the listings up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take `--anew`."""
        parser.add_argument(
            "--anew",
            action="store_true",
            help="look at every offer and every listing instead of what changed, and go on from "
            "the newest news: after a restored backup",
        )

    def handle(self, *, anew: bool, **_options: Any) -> None:
        """Follow the news, offers before the listings that show them."""
        try:
            if anew:
                following.anew()
                count = listings.anew()
            else:
                following.follow()
                count = listings.follow()
        except CursorAhead as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Looked at the listings of {count} datasets.")
