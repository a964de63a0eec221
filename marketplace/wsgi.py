"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

application = get_wsgi_application()
# Load every view now: what cannot be imported stops the start, not the first visitor.
get_resolver().url_patterns  # noqa: B018 - loading is the effect
