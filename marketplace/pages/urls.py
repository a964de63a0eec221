"""The addresses of the catalogue, buying, the library and the public record."""

from django.urls import path

from marketplace.pages import acting

urlpatterns = [
    path("account/acting/", acting.switch, name="switch_organization"),
]
