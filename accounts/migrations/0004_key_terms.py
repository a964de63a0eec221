"""Keys end: those that had no end, or a late one, end a year after they were made."""

from datetime import timedelta

from django.db import migrations, models
from django.db.models import F, Q


def set_end(apps, schema_editor):
    """Give every key an end; one that was made more than a year ago stops now."""
    year = timedelta(days=365)
    endless = Q(expiry_date=None) | Q(expiry_date__gt=F("created") + year)
    keys = apps.get_model("accounts", "ApiKey").objects.filter(endless)
    keys.update(expiry_date=F("created") + year)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_looks")]

    operations = [
        migrations.RunPython(set_end, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=Q(
                    expiry_date__isnull=False,
                    expiry_date__lte=F("created") + timedelta(days=365) + timedelta(days=1),
                ),
                name="api_key_ends_within_a_year",
            ),
        ),
    ]
