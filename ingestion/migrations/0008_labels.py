"""Segments keep how their transcript calls who speaks."""

from typing import ClassVar

from django.db import migrations, models

# Segments were not numbered as the texts of their step are: they are found by time or by text.
LABELS_BEFORE = """
UPDATE ingestion_segment AS segment SET label = left(said.row ->> 'speaker', 160)
FROM ingestion_steprun AS step, jsonb_array_elements(step.output -> 'segments') AS said(row)
WHERE step.name = 'text' AND step.run_id = segment.run_id AND said.row ->> 'speaker' <> ''
    AND CASE WHEN segment.start_ms IS NULL
        THEN said.row ->> 'start_ms' IS NULL AND said.row ->> 'text' = segment.text
        ELSE (said.row ->> 'start_ms')::bigint = segment.start_ms END;
"""


class Migration(migrations.Migration):
    """The label, an index of those that have one, and the labels of what was processed before."""

    dependencies: ClassVar = [("ingestion", "0007_unwritten")]
    operations: ClassVar = [
        migrations.AddField(
            "segment",
            "label",
            models.CharField(blank=True, default="", max_length=160),
            preserve_default=False,
        ),
        migrations.RunSQL(LABELS_BEFORE, migrations.RunSQL.noop),
        migrations.AddIndex(
            "segment",
            models.Index(
                condition=models.Q(("label", ""), _negated=True),
                fields=["recording"],
                name="segment_labeled",
            ),
        ),
    ]
