"""Every row that names bytes does so by a foreign key, and a blob knows when one ceased to."""

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION ingestion_let_go() RETURNS trigger LANGUAGE plpgsql AS $$
-- The argument is the column that named the blob.
BEGIN
    UPDATE ingestion_blob SET let_go_at = now() WHERE sha256 = to_jsonb(OLD) ->> TG_ARGV[0];
    RETURN NULL;
END $$;

CREATE FUNCTION ingestion_name_step_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.files = OLD.files THEN
            RETURN NULL;
        END IF;
        DELETE FROM ingestion_stepfile WHERE step_id = NEW.id;
    END IF;
    INSERT INTO ingestion_stepfile (step_id, name, blob_id)
        SELECT NEW.id, key, value ->> 'sha256' FROM jsonb_each(NEW.files);
    RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER let_go AFTER DELETE OR UPDATE OF blob_id ON ingestion_recording
    FOR EACH ROW EXECUTE FUNCTION ingestion_let_go('blob_id');
CREATE TRIGGER let_go AFTER DELETE OR UPDATE OF blob_id ON ingestion_releasefile
    FOR EACH ROW EXECUTE FUNCTION ingestion_let_go('blob_id');
CREATE TRIGGER let_go AFTER DELETE OR UPDATE OF blob_id ON ingestion_stepfile
    FOR EACH ROW EXECUTE FUNCTION ingestion_let_go('blob_id');
CREATE TRIGGER let_go AFTER DELETE OR UPDATE OF evidence_id ON ingestion_consentrecord
    FOR EACH ROW EXECUTE FUNCTION ingestion_let_go('evidence_id');
CREATE TRIGGER let_go_index AFTER DELETE OR UPDATE OF index_id ON ingestion_seal
    FOR EACH ROW EXECUTE FUNCTION ingestion_let_go('index_id');
CREATE TRIGGER let_go_croissant AFTER DELETE OR UPDATE OF croissant_id ON ingestion_seal
    FOR EACH ROW EXECUTE FUNCTION ingestion_let_go('croissant_id');
CREATE TRIGGER name_files AFTER INSERT OR UPDATE OF files ON ingestion_steprun
    FOR EACH ROW EXECUTE FUNCTION ingestion_name_step_files();
"""

DROP = """
DROP FUNCTION ingestion_let_go CASCADE;
DROP FUNCTION ingestion_name_step_files CASCADE;
"""

NAMED_BEFORE = """
INSERT INTO ingestion_stepfile (step_id, name, blob_id)
    SELECT step.id, file.key, file.value ->> 'sha256'
    FROM ingestion_steprun AS step, jsonb_each(step.files) AS file;
ALTER TABLE ingestion_seal DISABLE TRIGGER append_only;
UPDATE ingestion_seal SET
    index_id = release #>> '{files,index,digest,sha256}',
    croissant_id = release #>> '{exports,croissant,digest,sha256}';
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE ingestion_seal ENABLE TRIGGER append_only;
"""


def names(*, null: bool = False, related_name: str = "+") -> models.ForeignKey:
    """Return a relation to the blob that a row names."""
    return models.ForeignKey(
        null=null,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to="ingestion.blob",
    )


class Migration(migrations.Migration):
    """What is named, when it was let go, checked, found damaged."""

    dependencies: ClassVar = [("ingestion", "0004_turns")]
    operations: ClassVar = [
        migrations.AddField("blob", "damaged_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "blob", "last_checked", models.DateTimeField(default=django.utils.timezone.now)
        ),
        migrations.AddField(
            "blob",
            "let_go_at",
            models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True),
        ),
        migrations.AddIndex(
            "blob",
            models.Index(
                condition=models.Q(("let_go_at__isnull", False)),
                fields=["let_go_at"],
                name="blob_let_go",
            ),
        ),
        migrations.AddIndex(
            "blob", models.Index(fields=["last_checked"], name="blob_by_last_check")
        ),
        migrations.AddIndex(
            "blob",
            models.Index(
                condition=models.Q(("damaged_at__isnull", False)),
                fields=["damaged_at"],
                name="blob_damaged",
            ),
        ),
        migrations.CreateModel(
            name="StepFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=1024)),
                ("blob", names(related_name="step_files")),
                (
                    "step",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept",
                        to="ingestion.steprun",
                    ),
                ),
            ],
            options={
                "constraints": (
                    models.UniqueConstraint(
                        fields=("step", "name"), name="step_file_is_named_once"
                    ),
                )
            },
        ),
        migrations.AddField("seal", "index", names(null=True)),
        migrations.AddField("seal", "croissant", names(null=True)),
        migrations.RunSQL(NAMED_BEFORE, migrations.RunSQL.noop),
        migrations.AlterField("seal", "index", names()),
        migrations.AlterField("seal", "croissant", names()),
        migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP),
    ]
