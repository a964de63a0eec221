"""The help pages: words, no data. Their addresses are stable, since others link to them."""

from django.urls import path
from django.views.generic import TemplateView

PAGES = {
    "": ("help", "index"),
    "how-it-works": ("help_thread", "how_it_works"),
    "consent": ("help_consent", "consent"),
    "verify": ("help_verify", "verify"),
    "command-line": ("help_command_line", "command_line"),
}

urlpatterns = [
    path(address, TemplateView.as_view(template_name=f"pages/help/{template}.html"), name=name)
    for address, (name, template) in PAGES.items()
]
