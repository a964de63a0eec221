"""Collect every sentence: Django's makemessages, which also knows how ours are marked."""

from typing import Any

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Write the catalog of a language: `manage.py makemessages --locale sw`.

    `commonhold.sentences` marks sentences with `_` and `n_`; its `_` is `sentence_of` where
    Django's is used as well. What is not ours is passed over, and so are tests.
    """

    xgettext_options = [
        *makemessages.Command.xgettext_options,
        "--keyword=n_:1,2",
        "--keyword=sentence_of",
    ]

    def handle(self, *args: Any, **options: Any) -> None:
        elsewhere = ["node_modules/*", "tests/*", "static/*", "build/*", "data/*"]
        super().handle(*args, **(options | {"ignore_patterns": elsewhere}))
