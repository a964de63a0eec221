"""Mail shown in the app, on one machine without a mail server, to whoever runs it."""

import os
import re
import time
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from marketplace import tasks
from marketplace.host import letters
from tests import factories

pytestmark = pytest.mark.django_db

LETTER = "To: amina@example.org\nSubject: A link\n\nhttp://testserver/secret\n"


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    """No mail server, one machine."""
    settings.SHOW_MAIL = True
    settings.DATA_DIR = tmp_path
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    (tmp_path / "run").mkdir()
    (tmp_path / "mail").mkdir()
    return tmp_path / "mail"


@pytest.fixture
def code(folder, settings) -> str:
    """What the start of the site prints."""
    return letters.make_code(settings.DATA_DIR)


def write(folder: Path, text: str = LETTER, name: str = "1.log") -> Path:
    path = folder / name
    path.write_text(text + "-" * 79 + "\n")
    return path


def opened(code: str) -> Client:
    """A browser that followed the link of the start."""
    client = Client()
    client.get(reverse("mail"), {"code": code})
    return client


def test_nobody_reads_others_letters_without_the_code(folder, code):
    write(folder)
    member = Client()
    member.force_login(factories.user())
    for reader in (Client(), member):
        page = reader.get(reverse("mail"))
        assert b"secret" not in page.content
        assert b"Mail is at" in page.content


def test_a_wrong_code_opens_nothing_and_says_so(folder, code):
    write(folder)
    for client in (Client(), Client()):
        for given in ("", "wrong", code[:-1], code + "x"):
            refused = client.post(reverse("mail"), {"code": given})
            assert refused.status_code == 403
            assert b"secret" not in refused.content
            assert client.get(reverse("mail"), {"code": given}).status_code == 403
        assert b"secret" not in client.get(reverse("mail")).content


def test_no_code_opens_anything_before_the_site_was_started(folder):
    write(folder)
    client = Client()
    assert client.get(reverse("mail"), {"code": ""}).status_code == 403
    session = client.session
    session["mail"] = ""
    session.save()
    assert b"secret" not in client.get(reverse("mail")).content


def test_the_code_of_the_link_is_remembered_and_leaves_the_address(folder, code):
    write(folder)
    client = Client()
    answer = client.get(reverse("mail"), {"code": code})
    assert (answer.status_code, answer["Location"]) == (302, "/mail/")
    page = client.get(reverse("mail"))
    assert b"secret" in page.content
    assert "no-store" in page["Cache-Control"]
    assert code not in str(dict(client.session))


def test_the_code_can_be_typed(folder, code):
    write(folder)
    client = Client()
    client.post(reverse("mail"), {"code": f" {code} "})
    assert b"secret" in client.get(reverse("mail")).content


def test_the_code_of_an_earlier_start_opens_nothing_more(folder, code, settings):
    write(folder)
    client = opened(code)
    letters.make_code(settings.DATA_DIR)
    assert b"secret" not in client.get(reverse("mail")).content
    assert client.get(reverse("mail"), {"code": code}).status_code == 403


def test_nobody_but_its_owner_reads_the_code(folder, code, settings):
    assert letters.code_file(settings.DATA_DIR).stat().st_mode & 0o077 == 0


def test_whoever_runs_the_site_needs_no_code(folder):
    write(folder)
    operator = Client()
    operator.force_login(User.objects.create_superuser("op@example.org", factories.PASSWORD))
    assert b"secret" in operator.get(reverse("mail")).content


def test_a_forgotten_password_is_reset_through_the_letter_shown_in_the_app(folder, code):
    user = factories.user("amina@example.org")
    client = opened(code)
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


def test_a_letter_can_not_put_markup_on_the_page(folder, code):
    write(
        folder,
        "To: <script>x</script>@example.org\nSubject: <b>bold</b>\n\n<script>alert(1)</script>\n",
    )
    page = opened(code).get(reverse("mail")).content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page


def test_no_letter_lies_there_for_ever(folder):
    old, new = write(folder, name="old.log"), write(folder, name="new.log")
    eight_days_ago = time.time() - 8 * 24 * 3600
    os.utime(old, (eight_days_ago, eight_days_ago))
    tasks.tidy_mail_task()
    assert (old.exists(), new.exists()) == (False, True)


def test_where_no_letter_was_ever_written_there_is_nothing_to_remove(settings, tmp_path):
    settings.EMAIL_FILE_PATH = tmp_path / "nothing"
    tasks.tidy_mail_task()
