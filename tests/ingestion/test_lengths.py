"""Texts have an end: nobody stores a book where a sentence is asked for."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from ingestion.archive import datasets
from ingestion.consent.faults import ConsentInvalid, Notice, Terms, check_terms
from ingestion.models import ConsentRecord, Dataset
from ingestion.review import decisions
from tests import factories, sealed
from tests.clock import today

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("field", "most"), [("description", 5_000), ("card", 50_000)])
def test_a_datasets_texts_are_not_endless(field, most):
    dataset = sealed.dataset()
    by = factories.owner_of(dataset.organization)
    with pytest.raises(datasets.InvalidDataset) as refusal:
        datasets.edit(dataset=dataset, by=by, **{field: "x" * (most + 1)})
    assert refusal.value.details == {"field": field, "most": most}
    datasets.edit(dataset=dataset, by=by, **{field: "x" * most})
    with pytest.raises(IntegrityError, match="dataset_texts_are_short"), transaction.atomic():
        Dataset.objects.update(**{field: "x" * (most + 1)})


def test_a_dataset_is_not_made_with_an_endless_description():
    organization = factories.organization()
    with pytest.raises(datasets.InvalidDataset, match="more than 5,000 characters"):
        sealed.dataset(organization, description="x" * 900_000)
    assert not organization.datasets.exists()


def test_what_a_speaker_was_told_is_not_endless():
    terms = Terms(purposes=tuple(sealed.OPEN), given_on=today(), jurisdiction="KE")
    with pytest.raises(ConsentInvalid) as refusal:
        check_terms(terms=terms, notice=Notice("x" * 100_001, "en"))
    assert refusal.value.details == {"field": "notice_text", "most": 100_000}
    sealed.version()
    another = ConsentRecord.objects.all()[0]
    another.pk, another.notice_text = uuid4(), "x" * 100_001
    with pytest.raises(IntegrityError, match="notice_text_is_short"), transaction.atomic():
        another.save(force_insert=True)


def test_a_corrected_text_is_not_endless():
    segment = sealed.version().files.get().recording.intake.segments.first()
    with pytest.raises(decisions.DecisionInvalid, match="at most 10,000 characters"):
        decisions.correct(segment=segment, text="word " * 2001)
