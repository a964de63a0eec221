"""`manage.py rotate_key`: replace one of the keys that this site signs with."""

import getpass
from typing import Any

from commonhold import times
from commonhold.errors import CommonholdError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from notary import keys

AFTERWARDS: dict[str, str] = {
    keys.Purpose.MANIFEST: "It is not needed again.",
    keys.Purpose.STATUS: "It is not needed again. Lists are signed anew within ten minutes.",
    keys.Purpose.LOG: "It is not needed again. The log's checkpoint is signed anew in seconds.",
    keys.Purpose.ROOT: "It is not needed again: it has signed the version that brings the new one.",
}


class Command(BaseCommand):
    """Replace a key, and say what was done and what is left to do."""

    help = (
        "Replaces a key: the new one signs from now on, signatures by the old one count until "
        "now, and everything signed so far goes on to verify."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("purpose", choices=keys.Purpose.values, help="which key")
        parser.add_argument(
            "--lost",
            action="store_true",
            help="the old root key is gone: do without its signature, and tell everybody",
        )

    def handle(self, *, purpose: str, lost: bool, **_options: Any) -> None:
        if lost and purpose != keys.Purpose.ROOT:
            message = "--lost is for the root key alone: others are replaced without the old one."
            raise CommandError(message)
        try:
            done = keys.rotate(purpose=purpose, by=f"{getpass.getuser()}, rotate_key", lost=lost)
        except CommonholdError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"The {purpose} key {done.retired[:16]} is retired: what it signs counts if it is "
            f"dated before {times.write(done.retired_at)}.\n"
            f"The {purpose} key {done.in_use[:16]} signs from now on. Back up {done.new_file} "
            "with the database.\n"
        )
        if done.old_file.exists():
            self.stdout.write(
                f"The old private key is still in {done.old_file}. {AFTERWARDS[done.purpose]} "
                "Move it to where nobody reads it, or destroy it; keep it in no backup that others "
                "can read."
            )
        if lost:
            self.stdout.write(
                "Everybody who keeps this site's old root key now sees a stranger. Announce the "
                "change, with the new trusted_root.json, where they will believe you."
            )
