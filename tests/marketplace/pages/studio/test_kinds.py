"""Kinds of personal data have their names wherever they are told."""

from ingestion import review
from ingestion.pipeline.detectors import registry
from ingestion.releases import scrubbing
from marketplace.pages.studio import passages
from marketplace.templatetags import wording


def test_every_kind_of_personal_data_has_its_names():
    found = {*registry.PRECEDENCE}
    assert scrubbing.KINDS.keys() >= {*found, *registry.NEVER_CHECKED}
    assert passages.KIND_NAMES.keys() >= {*found, *review.KINDS}
    assert wording.COUNTED.keys() & wording.REDACTED.keys() >= found
