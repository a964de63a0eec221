"""The demo: three small datasets to look at. Not part of the image; the site runs without it."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Data to look at."""

    name = "demo"
