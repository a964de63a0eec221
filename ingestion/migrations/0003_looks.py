"""What datasets' titles look like."""

from typing import Any, ClassVar

from django.db import migrations, models

from accounts.names import look_of


def fill(apps: Any, _editor: Any) -> None:
    """Give each its look."""
    for dataset in apps.get_model("ingestion", "Dataset").objects.iterator():
        dataset.look = look_of(dataset.title)
        dataset.save(update_fields=["look"])


class Migration(migrations.Migration):
    """Adds the column, fills it, and indexes it."""

    dependencies: ClassVar[list[Any]] = [("ingestion", "0002_triggers")]
    operations: ClassVar[list[Any]] = [
        migrations.AddField(
            "dataset",
            "look",
            models.CharField(default="", editable=False, max_length=800),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            "dataset", "look", models.CharField(db_index=True, editable=False, max_length=800)
        ),
    ]
