"""The notary app: keys, signatures, the log, status lists. Knows nothing of what it signs."""

from django.apps import AppConfig


class NotaryConfig(AppConfig):
    """Signs and logs what it is handed."""

    name = "notary"
