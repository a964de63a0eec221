"""The marketplace app: trade and money; the only package that speaks HTTP."""

from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    """Trade."""

    name = "marketplace"
