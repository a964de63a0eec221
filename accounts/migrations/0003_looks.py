"""What organizations' names look like, no two the same."""

from typing import Any, ClassVar

from django.db import migrations, models

from accounts.names import look_of


def fill(apps: Any, _editor: Any) -> None:
    """Give each its look; where two look the same, the later one keeps its name with its number."""
    taken: set[str] = set()
    for organization in apps.get_model("accounts", "Organization").objects.order_by("pk"):
        look = look_of(organization.name)
        organization.look = f"{look}#{organization.pk}" if look in taken else look
        taken.add(organization.look)
        organization.save(update_fields=["look"])


class Migration(migrations.Migration):
    """Adds the column, fills it, and makes it unique."""

    dependencies: ClassVar[list[Any]] = [("accounts", "0002_triggers")]
    operations: ClassVar[list[Any]] = [
        migrations.AddField(
            "organization",
            "look",
            models.CharField(default="", editable=False, max_length=600),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            "organization",
            "look",
            models.CharField(editable=False, max_length=600, unique=True),
        ),
    ]
