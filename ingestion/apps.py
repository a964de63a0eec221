"""The ingestion app: what the data is, where it came from, who consented."""

from django.apps import AppConfig


class IngestionConfig(AppConfig):
    """What it is."""

    name = "ingestion"
