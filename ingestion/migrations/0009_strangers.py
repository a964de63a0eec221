"""Whom a transcript names and nobody knows is not the only one whose consent lies there."""

from typing import ClassVar

from commonhold.paths import path_key
from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget_guesses(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Name nobody where the transcript's name is neither the speaker's nor their pseudonym."""
    segments = apps.get_model("ingestion", "Segment").objects
    named = segments.exclude(label="").exclude(speaker=None).order_by()
    values = ("label", "speaker", "speaker__name", "speaker__pseudonym")
    for label, speaker, *names in named.values_list(*values).distinct():
        if path_key(label) not in map(path_key, names):
            segments.filter(label=label, speaker=speaker).update(speaker=None)


class Migration(migrations.Migration):
    """Segments that were named for want of anybody else name nobody again."""

    dependencies: ClassVar = [("ingestion", "0008_labels")]
    operations: ClassVar = [migrations.RunPython(forget_guesses, migrations.RunPython.noop)]
