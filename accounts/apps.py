"""The accounts app: who acts, for which organization, with which rights."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who."""

    name = "accounts"
