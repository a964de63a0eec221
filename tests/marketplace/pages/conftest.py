"""A second language, for the tests that read the pages in it."""

import pytest
from django.utils import translation

from tests import pseudo


@pytest.fixture(scope="session")
def catalog(tmp_path_factory):
    return pseudo.make(tmp_path_factory.mktemp("pseudo"))


@pytest.fixture
def second_language(settings, catalog):
    """A second language, added as the settings say it is."""
    settings.LOCALE_PATHS = [catalog]
    settings.LANGUAGES = [*settings.LANGUAGES, (pseudo.LANGUAGE, "Esperanto")]
    place = settings.MIDDLEWARE.index("django.middleware.common.CommonMiddleware")
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE[:place],
        "django.middleware.locale.LocaleMiddleware",
        *settings.MIDDLEWARE[place:],
    ]
    yield
    translation.deactivate()
