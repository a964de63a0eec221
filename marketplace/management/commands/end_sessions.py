"""`manage.py end_sessions`: sign somebody, or everybody, out of every browser."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from marketplace.http import sessions


class Command(BaseCommand):
    """End sessions at once, for whoever runs the site."""

    help = "Signs a person, or with --all everybody, out of every browser. API keys go on to work."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take an address or `--all`, and not both."""
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("email", nargs="?", help="the address that the person signs in with")
        whose.add_argument("--all", action="store_true", help="everybody's")

    def handle(self, **options: Any) -> None:
        """End them, and say how many there were."""
        person = None if options["all"] else person_of(options["email"])
        self.stdout.write(f"Ended {sessions.end_all(of=person)} sessions.")


def person_of(email: str) -> User:
    """Return whose address it is, whatever its case."""
    person = User.objects.filter(email__iexact=email).first()
    if person is None:
        message = f"Nobody signs in with {email}."
        raise CommandError(message)
    return person
