"""Datasets and their versions: opening, and finding what a person may see."""

import re

from commonhold.errors import CommonholdError
from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts.models import Organization, User
from ingestion.models import Dataset, Task, Version

LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class InvalidDataset(CommonholdError):
    """A dataset's particulars can't stand."""

    code = "invalid-dataset"
    status = 422


class DatasetExists(CommonholdError):
    """The organization has a dataset of this name."""

    code = "dataset-exists"
    status = 409


class VersionClosed(CommonholdError):
    """The version is past the point where this can change."""

    code = "version-closed"
    status = 409


def create(
    *,
    organization: Organization,
    slug: str,
    title: str,
    language: str,
    task: str,
    by: User,
    description: str = "",
) -> Dataset:
    """Create a dataset with a draft version. Raises InvalidDataset, DatasetExists."""
    check_particulars(slug=slug, title=title, language=language, task=task)
    try:
        with transaction.atomic():
            dataset = Dataset.objects.create(
                organization=organization,
                slug=slug,
                title=title.strip(),
                description=description.strip(),
                language=language,
                task=task,
                created_by=by,
            )
            open_draft(dataset=dataset, by=by)
    except IntegrityError as error:
        message = f"{organization} has a dataset «{slug}» already. Choose another short name."
        raise DatasetExists(message, slug=slug) from error
    return dataset


def check_particulars(*, slug: str, title: str, language: str, task: str) -> None:
    """Raise InvalidDataset with the field that can't stand."""
    faults = {
        "slug": not SLUG.fullmatch(slug) or len(slug) > 80,
        "title": not title.strip() or len(title) > 160,
        "language": not LANGUAGE.fullmatch(language) or len(language) > 35,
        "task": task not in Task.values,
    }
    advice = {
        "slug": "A short name has lower-case letters, digits and single hyphens, 80 at most.",
        "title": "A dataset needs a title of at most 160 characters.",
        "language": "Give the language as a BCP 47 tag, such as «sw», «es» or «zh-Hant».",
        "task": f"Choose one of {', '.join(Task.values)}.",
    }
    for field, wrong in faults.items():
        if wrong:
            raise InvalidDataset(advice[field], field=field)


@transaction.atomic
def open_draft(*, dataset: Dataset, by: User) -> Version:
    """Return the version that is being worked on, or begin the next one."""
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    current = dataset.versions.filter(
        state__in=[Version.State.DRAFT, Version.State.PROCESSING, Version.State.REVIEW]
    ).first()
    if current is not None:
        return current
    last = dataset.versions.aggregate(last=Max("number"))["last"] or 0
    return Version.objects.create(dataset=dataset, number=last + 1, created_by=by)
