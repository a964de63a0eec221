"""Datasets: making one, saying what it is, and deleting one that was never published."""

import re
from collections.abc import Mapping

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import IntegrityError, transaction

from accounts import audit, names
from accounts.models import Organization, User
from ingestion import news
from ingestion.archive import languages, versions
from ingestion.models import Dataset, News, Recording, Task, Upload, Version
from ingestion.models.dataset import MAX_CARD, MAX_DESCRIPTION

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_TITLE, MAX_SLUG = 160, 80
TEXTS = ("title", "description", "card")


class InvalidDataset(CommonholdError):
    """A dataset's particulars can't stand."""

    code = "invalid-dataset"
    status = 422


class DatasetExists(CommonholdError):
    """The organization has a dataset of this name."""

    code = "dataset-exists"
    status = 409


class DatasetPublished(CommonholdError):
    """What was sealed of the dataset is somebody's already."""

    code = "dataset-published"
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
    """Create a dataset with a draft version.

    Raises InvalidName, InvalidDataset, UnknownLanguage, DatasetExists.
    """
    title = names.check_name(title, field="title")
    check(slug=slug, title=title, task=task)
    check_texts({"description": description.strip()})
    tag = languages.tag_of(language)
    try:
        with transaction.atomic():
            dataset = Dataset.objects.create(
                organization=organization,
                slug=slug,
                title=title,
                look=names.look_of(title),
                description=description.strip(),
                language=tag,
                task=task,
                created_by=by,
            )
            audit.note(
                by=by, verb="dataset.created", about=(dataset, organization), dataset=str(dataset)
            )
            versions.open_draft(dataset=dataset, by=by)
    except IntegrityError as error:
        sentence = _(
            "%(organization)s has a dataset «%(slug)s» already. Choose another short name."
        )
        raise DatasetExists(sentence, organization=str(organization), slug=slug) from error
    return dataset


def check(*, slug: str, title: str, task: str) -> None:
    """Raise InvalidDataset with the field that can't stand."""
    if not SLUG.fullmatch(slug) or len(slug) > MAX_SLUG:
        sentence = _("A short name has lower-case letters, digits and single hyphens, 80 at most.")
        raise InvalidDataset(sentence, field="slug")
    if not title.strip() or len(title) > MAX_TITLE:
        sentence = _("A dataset needs a title of at most 160 characters.")
        raise InvalidDataset(sentence, field="title")
    if task not in Task.values:
        sentence = _("Choose one of %(tasks)s.")
        raise InvalidDataset(sentence, field="task", tasks=", ".join(Task.values))


def check_texts(texts: Mapping[str, str]) -> None:
    """Raise InvalidDataset for a description or card that is too long."""
    if len(texts.get("card", "")) > MAX_CARD:
        sentence = _("The card has more than %(most)s characters. Say the rest on a page of yours.")
        raise InvalidDataset(sentence, field="card", most=MAX_CARD)
    if len(texts.get("description", "")) > MAX_DESCRIPTION:
        sentence = _("The description has more than %(most)s characters. Say the rest in the card.")
        raise InvalidDataset(sentence, field="description", most=MAX_DESCRIPTION)


@transaction.atomic
def edit(
    *,
    dataset: Dataset,
    by: User,
    title: str | None = None,
    description: str | None = None,
    card: str | None = None,
    language: str | None = None,
    task: str | None = None,
) -> Dataset:
    """Change what a dataset says of itself; None leaves a thing as it is.

    The texts can change at any time: after a seal they are what the catalogue says, and the
    release keeps its own. Language and task belong to what is sealed next, so they change only
    while a version is open. What was written down in another language is written down anew: a
    version in review becomes a draft again. Raises InvalidName, InvalidDataset, UnknownLanguage,
    VersionClosed.
    """
    dataset = Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    typed = {"title": title, "description": description, "card": card, "task": task}
    wanted = as_kept(**typed, language=language)
    changed = {name: value for name, value in wanted.items() if value != getattr(dataset, name)}
    require_sense(dataset, changed)
    if not changed:
        return dataset
    if "language" in changed and not languages.are_one(dataset.language, changed["language"]):
        hear_anew(dataset)
    before = {name: getattr(dataset, name) for name in changed}
    dataset.look = names.look_of(changed.get("title", dataset.title))
    for name, value in changed.items():
        setattr(dataset, name, value)
    dataset.save(update_fields=[*changed, "look"])
    audit.note(
        by=by,
        verb="dataset.edited",
        about=(dataset, dataset.organization),
        dataset=str(dataset),
        before=before,
        after=changed,
    )
    if changed.keys() & set(TEXTS):
        news.tell(News, kind=News.Kind.EDITED, dataset=dataset)
    return dataset


def as_kept(**typed: str | None) -> dict[str, str]:
    """Return what was typed as it is kept; None says nothing.

    Raises InvalidName, UnknownLanguage.
    """
    found = {name: value.strip() for name, value in typed.items() if value is not None}
    if "title" in found:
        found["title"] = names.check_name(found["title"], field="title")
    if "language" in found:
        found["language"] = languages.tag_of(found["language"])
    return found


def require_sense(dataset: Dataset, changed: Mapping[str, str]) -> None:
    """Refuse changes that a dataset can't take: InvalidDataset, or VersionClosed once sealed."""
    check(
        slug=dataset.slug,
        title=changed.get("title", dataset.title),
        task=changed.get("task", dataset.task),
    )
    check_texts(changed)
    if changed.keys() & {"language", "task"} and not dataset.versions.open().exists():
        sentence = _(
            "Language and task are sealed with version %(number)s. Begin the next version to "
            "change them."
        )
        newest = dataset.versions.newest()
        raise versions.VersionClosed(sentence, number=newest.number if newest else 1)


def hear_anew(dataset: Dataset) -> None:
    """Let nothing count that the open version's recordings were taken for in another language.

    Its rules look for other words: what they did not find there is not clean here. Raises
    VersionClosed while somebody works by the old language.
    """
    version = versions.lock_open(dataset.versions.open().get().pk)
    if version.state == Version.State.PROCESSING:
        sentence = _(
            "Version %(number)s is being processed in the language that the dataset has now. Wait "
            "until it is in review, then change it."
        )
        raise versions.VersionClosed(sentence, number=version.number)
    heard = dataset.recordings.filter(
        files__version=version, language="", intake__isnull=False
    ).to_process()
    if heard.update(intake=None):
        version.state = Version.State.DRAFT
        version.save(update_fields=["state"])


@transaction.atomic
def delete(*, dataset: Dataset, by: User) -> None:
    """Delete a dataset of which nothing was ever sealed, with its recordings and consents.

    Raises DatasetPublished.
    """
    dataset = lock_whole(dataset)
    sealed = dataset.versions.exclude(state__in=Version.OPEN).order_by("number").first()
    if sealed is not None:
        sentence = _(
            "Version %(number)s of «%(dataset)s» was sealed, and others may rest on it. It can be "
            "withdrawn, not deleted."
        )
        raise DatasetPublished(sentence, number=sealed.number, dataset=str(dataset))
    audit.note(
        by=by,
        verb="dataset.deleted",
        about=(dataset, dataset.organization),
        dataset=str(dataset),
        title=dataset.title,
        recordings=dataset.recordings.count(),
    )
    dataset.versions.all().delete()
    Recording.objects.filter(dataset=dataset).update(transcript=None, intake=None)
    dataset.delete()


def lock_whole(dataset: Dataset) -> Dataset:
    """Lock a dataset with its versions and their uploads, so that nothing is added any more.

    Whoever works on a version locks that first, and then adds what belongs to the dataset.
    """
    Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    list(dataset.versions.order_by("pk").select_for_update())
    versions.lock_uploads(Upload.objects.filter(version__in=dataset.versions.values("pk")))
    return Dataset.objects.select_for_update().get(pk=dataset.pk)
