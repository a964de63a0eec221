"""`manage.py demo`: three small datasets to look at, license and finish."""

import json
from argparse import ArgumentParser
from typing import Any

from commonhold.errors import CommonholdError
from django.core.management.base import BaseCommand, CommandError

from demo import outline
from demo.load import load

WAIT_SECONDS = 300


class Command(BaseCommand):
    """Load the demo data, or tell how to log in to it."""

    help = (
        "Tells how to log in to the demo data. --load makes it (once, taken up where it stopped), "
        "--json prints addresses, passwords, keys and offers for scripts."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        wish = parser.add_mutually_exclusive_group()
        wish.add_argument("--load", action="store_true", help="load what is missing")
        wish.add_argument("--json", action="store_true", help="print the demo as JSON")
        parser.add_argument(
            "--wait",
            type=float,
            default=WAIT_SECONDS,
            help="seconds to wait for a load that is under way (300)",
        )

    def handle(self, **options: Any) -> None:
        try:
            if options["load"]:
                loaded = load(say=self.stdout.write)
                self.stdout.write("The demo is loaded" if loaded else "The demo was loaded before")
                return
            outline.wait_until_complete(seconds=options["wait"] if options["json"] else 0)
            told = (
                json.dumps(outline.document(), indent=2) if options["json"] else outline.summary()
            )
            self.stdout.write(told)
        except CommonholdError as error:
            raise CommandError(error.message) from error
