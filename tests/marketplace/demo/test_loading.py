"""Where the demo is refused, and how a load that was killed is taken up."""

import hashlib
import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiKey, Organization, User
from demo import notebook, people, walk
from demo.plan import ACCOUNTS, DATASETS
from ingestion.archive import uploads
from tests import factories

pytestmark = pytest.mark.django_db
CONTRIBUTOR = ACCOUNTS[0]


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    """A DATA_DIR where no demo was loaded."""
    settings.DATA_DIR = tmp_path
    settings.BLOB_DIR = tmp_path / "blobs"


def load() -> None:
    call_command("demo", load=True, stdout=io.StringIO())


def test_it_is_refused_where_payments_are_real(settings):
    settings.ALLOW_TEST_PAYMENTS = False
    with pytest.raises(CommandError, match="takes no test payments"):
        load()
    assert not User.objects.exists()
    assert not notebook.path().exists()


def test_an_organization_of_the_same_name_is_left_alone():
    stranger = factories.organization("Radio Mtoni")
    with pytest.raises(CommandError, match="Nothing of it was touched"):
        load()
    assert list(Organization.objects.all()) == [stranger]
    assert not stranger.datasets.exists()


def test_a_user_of_the_same_address_is_left_alone():
    stranger = factories.user(CONTRIBUTOR.email)
    with pytest.raises(CommandError, match="exists already"):
        load()
    assert list(User.objects.all()) == [stranger]
    assert not Organization.objects.exists()


def test_why_the_load_failed_is_said_to_who_asks_for_it():
    factories.user(CONTRIBUTOR.email)
    with pytest.raises(CommandError):
        load()
    with pytest.raises(CommandError, match=f"{CONTRIBUTOR.email}» .* exists already"):
        call_command("demo", json=True)


def test_asking_for_a_demo_that_never_comes_ends_with_what_to_do():
    with pytest.raises(CommandError, match=r"not there after 0 s .* demo --load"):
        call_command("demo", json=True, wait=0)


def test_a_load_killed_between_making_and_writing_down_recognizes_its_people_and_replaces_the_key():
    first = people.ensure(account=CONTRIBUTOR, notes=notebook.read())
    notes = notebook.read()
    lost = notes["accounts"]["contributor"].pop("api_key")
    del notes["accounts"]["contributor"]["organization"]
    notebook.write(notes)
    again = people.ensure(account=CONTRIBUTOR, notes=notebook.read())
    assert (again.user, again.organization) == (first.user, first.organization)
    fresh = notebook.read()["accounts"]["contributor"]["api_key"]
    assert not ApiKey.objects.is_valid(lost)
    assert ApiKey.objects.is_valid(fresh)


def test_a_load_killed_while_uploading_goes_on_with_what_is_missing():
    plan = DATASETS[0]
    actor = people.ensure(account=CONTRIBUTOR, notes=notebook.read())
    version = walk.first_version(plan=plan, actor=actor)
    whole, begun, *_ = walk.sources(plan.folder)
    walk.upload(version=version, path=whole, by=actor.user)
    data = begun.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    uploads.begin(version=version, path=begun.name, size=len(data), by=actor.user, sha256=digest)
    assert walk.first_version(plan=plan, actor=actor) == version
    walk.fill(version=version, folder=plan.folder, by=actor.user)
    walk.fill(version=version, folder=plan.folder, by=actor.user)
    assert version.files.count() == 4
    assert version.files.filter(recording__transcript__isnull=False).count() == 2
    assert version.dataset.consent_records.count() == 3
    assert all(record.evidence for record in version.dataset.consent_records.all())
