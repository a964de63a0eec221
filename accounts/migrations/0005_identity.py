"""Whose address is proved, and who is asked to join.

Accounts from before keep what they proved; whoever has not can confirm the address when they sign
in. What an account that nobody proved belongs to waits until then.
"""

from typing import Any, ClassVar

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Lower


TRIGGERS = """
CREATE FUNCTION commonhold_members_are_somebody() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM accounts_user WHERE id = NEW.user_id AND confirmed_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'user % has not confirmed an address and belongs to nothing', NEW.user_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER members_are_somebody BEFORE INSERT OR UPDATE OF user_id ON accounts_membership
    FOR EACH ROW EXECUTE FUNCTION commonhold_members_are_somebody();
CREATE TRIGGER allow_only BEFORE UPDATE ON accounts_invitation
    FOR EACH ROW EXECUTE FUNCTION commonhold_allow_only(
        'token_sha256', 'expires_at', 'invited_by_id', 'accepted_at', 'accepted_by_id',
        'withdrawn_at');
CREATE TRIGGER set_once BEFORE UPDATE ON accounts_invitation
    FOR EACH ROW EXECUTE FUNCTION commonhold_set_once(
        'accepted_at', 'accepted_by_id', 'withdrawn_at');
"""

DROP = """
DROP TRIGGER set_once ON accounts_invitation;
DROP TRIGGER allow_only ON accounts_invitation;
DROP TRIGGER members_are_somebody ON accounts_membership;
DROP FUNCTION commonhold_members_are_somebody;
"""


def keep_what_was_proved(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001 - Django's
    """Take over the addresses that were confirmed before."""
    users = apps.get_model("accounts", "User")
    proved = apps.get_model("account", "EmailAddress").objects.filter(
        verified=True, email=Lower(OuterRef("email")), user=OuterRef("pk")
    )
    users.objects.filter(Exists(proved)).update(confirmed_at=F("date_joined"))


class Migration(migrations.Migration):
    """An address is proved before anybody acts by it, and membership is an invitation."""

    dependencies: ClassVar = [
        ("accounts", "0004_key_terms"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="user",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("editor", "Editor"), ("buyer", "Buyer")],
                        max_length=10,
                    ),
                ),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("organization"),
                        django.db.models.functions.text.Lower("address"),
                        condition=models.Q(("accepted_at", None), ("withdrawn_at", None)),
                        name="one_open_invitation_per_address",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "editor", "buyer"])),
                        name="invitation_role_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("accepted_at", None), ("withdrawn_at", None), _connector="OR"
                        ),
                        name="invitation_ends_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("accepted_at", None), ("accepted_by", None)),
                            models.Q(
                                ("accepted_at__isnull", False), ("accepted_by__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="invitation_is_accepted_by_somebody",
                    ),
                ],
            },
        ),
        migrations.RunPython(keep_what_was_proved, migrations.RunPython.noop),
        migrations.RunSQL(TRIGGERS, DROP),
    ]
