"""People who read the site in another language than English, and what they could not read."""

from collections.abc import Iterable

import langcodes
from babel import Locale
from django.http import HttpResponse
from django.test import Client

from accounts.models import Organization, Scope, User
from ingestion.models import Dataset, Recording, ReleaseFile, Speaker
from tests import pseudo, sealed, signing_in

TITLE, ABOUT = "Matenkanto", "Kantoj kaj paroloj."


def visitor() -> Client:
    """Somebody who is not logged in."""
    return Client(headers={"accept-language": pseudo.LANGUAGE})


def signed_in(user: User) -> Client:
    """Somebody who is."""
    client = visitor()
    return signing_in.browser_of(user, client)


def data() -> set[str]:
    """What the tests themselves wrote, and what CLDR calls a language or a country."""
    people = User.objects.values_list("email", "name")
    own = {word for row in people for word in row}
    own |= set(Organization.objects.values_list("name", flat=True))
    own |= set(Organization.objects.values_list("slug", flat=True))
    own |= {TITLE, ABOUT, *Dataset.objects.values_list("slug", flat=True)}
    own |= set(Dataset.objects.values_list("title", flat=True))
    own |= {
        word for row in Speaker.objects.values_list("pseudonym", "name", "contact") for word in row
    }
    own |= set(Recording.objects.values_list("name", flat=True))
    own |= set(ReleaseFile.objects.values_list("path", flat=True))
    own |= {word for tool in sealed.TOOLS.values() for word in tool}
    own |= {str(scope) for scope in Scope.values}
    own |= {langcodes.Language.get("en").display_name(pseudo.LANGUAGE), "en"}
    here = Locale(pseudo.LANGUAGE)
    own |= {*here.territories.values(), *here.months["format"]["wide"].values(), "KE", "speaker"}
    return own


def faults(answers: Iterable[HttpResponse], known: Iterable[str] = ()) -> dict[str, list[str]]:
    """The words that stand outside of brackets, by the address of the page."""
    found = {}
    for answer in answers:
        page = answer.content.decode()
        assert answer["Content-Type"].startswith("text/html")
        assert f'lang="{pseudo.LANGUAGE}"' in page or "<html" not in page
        left = pseudo.leaks(page, data() | set(known))
        if left:
            found[f"{answer.request['REQUEST_METHOD']} {answer.request['PATH_INFO']}"] = left
    return found
