"""The licensing app: which rights, to whom, until when. Knows no money."""

from django.apps import AppConfig


class LicensingConfig(AppConfig):
    """Which rights."""

    name = "licensing"
