"""Open versions that nobody looked through for speech that their texts leave out."""

from typing import Any, ClassVar

from django.db import migrations


def hear_anew(apps: Any, _editor: Any) -> None:
    """Make drafts of them again, in which what was processed without keeping voices is new."""
    steps = apps.get_model("ingestion", "StepRun").objects.filter(name="vad", state="done")
    unheard = steps.exclude(output__has_key="voiced").values("run_id")
    Version = apps.get_model("ingestion", "Version")  # noqa: N806 - a model
    found = Version.objects.filter(
        state__in=["draft", "processing", "review"], files__recording__intake__in=unheard
    )
    keys = list(found.values_list("pk", flat=True).distinct())
    recordings = apps.get_model("ingestion", "Recording").objects
    recordings.filter(files__version__in=keys, intake__in=unheard).update(intake=None)
    Version.objects.filter(pk__in=keys).update(
        state="draft", review_finished_at=None, review_finished_by=None
    )


class Migration(migrations.Migration):
    """Changes rows alone."""

    dependencies: ClassVar[list[Any]] = [("ingestion", "0010_reasons")]
    operations: ClassVar[list[Any]] = [
        migrations.RunPython(hear_anew, migrations.RunPython.noop),
    ]
