"""Speakers: the people who are heard, known outside by their pseudonyms alone."""

from dataclasses import dataclass

from django.db import transaction

from accounts import audit, names
from accounts.models import User
from ingestion.consent.naming import name_labeled
from ingestion.models import Dataset, Speaker


@dataclass(frozen=True)
class Person:
    """Who agreed. Name and contact never leave the contributor's own pages."""

    name: str
    contact: str = ""
    role: str = "speaker"
    is_minor: bool = False


@transaction.atomic
def add_speaker(*, dataset: Dataset, person: Person, by: User) -> Speaker:
    """Return the dataset's speaker of this name and contact, or make one with a new pseudonym.

    Raises InvalidName.
    """
    name = names.check_name(person.name)
    Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    known = dataset.speakers.filter(name=name, contact=person.contact).first()
    if known is not None:
        return known
    last = dataset.speakers.order_by("-pk").first()
    number = int(last.pseudonym[2:]) + 1 if last else 1
    speaker = Speaker.objects.create(
        dataset=dataset,
        pseudonym=f"p-{number:04d}",
        name=name,
        contact=person.contact,
        role=person.role,
        is_minor=person.is_minor,
    )
    name_labeled(speaker=speaker)
    audit.note(by=by, verb="speaker.added", about=(speaker, dataset), speaker=speaker.pseudonym)
    return speaker
