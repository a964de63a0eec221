"""Mail shown in the app, on one machine without a mail server."""

import re

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept_here(settings, tmp_path):
    """No mail server, one machine."""
    settings.SHOW_MAIL = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path


def test_a_forgotten_password_is_reset_through_the_letter_shown_in_the_app(client, kept_here):
    user = factories.user("amina@example.org")
    client.post(reverse("account_reset_password"), {"email": user.email})
    page = client.get(reverse("mail")).content.decode()
    assert "To amina@example.org" in page
    link = re.search(r'href="http://testserver(/accounts/password/reset/key/[^"]+)"', page)
    assert link is not None
    form = client.get(link[1], follow=True)
    assert form.status_code == 200
    assert b"password" in form.content


def test_letters_are_shown_to_nobody_where_mail_is_sent(client, settings):
    settings.SHOW_MAIL = False
    assert client.get(reverse("mail")).status_code == 404


def test_a_letter_can_not_put_markup_on_the_page(client, kept_here, tmp_path):
    letter = (
        "To: <script>x</script>@example.org\nSubject: <b>bold</b>\n\n<script>alert(1)</script>\n"
    )
    (tmp_path / "1.log").write_text(letter + "-" * 79 + "\n")
    page = client.get(reverse("mail")).content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page
