"""Why a stretch has to be read is told in the words of the reader: codes stand for it."""

from typing import ClassVar

from django.db import migrations

# The last of several sentences was cut off at the 200th character.
CODES = """
UPDATE ingestion_segment SET review_reason = concat_ws(
    ' ',
    CASE WHEN review_reason LIKE '%Draft transcript:%' THEN 'draft' END,
    CASE WHEN review_reason LIKE '%Words without times:%' THEN 'untimed' END,
    CASE WHEN review_reason LIKE '%It could not be found%' THEN 'unplaced' END,
    CASE WHEN review_reason LIKE '%Numbers and addresses%' THEN 'unknown-speech' END
)
WHERE review_reason <> '';
"""


class Migration(migrations.Migration):
    """The sentences that were written down become their codes."""

    dependencies: ClassVar = [("ingestion", "0009_strangers")]
    operations: ClassVar = [migrations.RunSQL(CODES, migrations.RunSQL.noop)]
