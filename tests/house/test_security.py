"""docs/security.md and its table of ASVS say nothing that is not there, and leave nothing out."""

import ast
import re
import tomllib
from collections import Counter
from functools import cache

import yaml
from django.conf import settings

from tests.reading import ROOT, calls, sources, trees

DOCUMENT = ROOT / "docs" / "security.md"
LEVEL_1 = {
    1: "2.1 2.2 2.3 2.4 2.5 3.1 3.2 5.1", 2: "1.1 2.1 2.2 3.1",
    3: "2.1 2.2 3.1 4.1 4.2 5.1 5.2 5.3", 4: "1.1 4.1", 5: "2.1 2.2 3.1 3.2",
    6: "1.1 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 3.1 3.2 4.1 4.2", 7: "2.1 2.2 2.3 2.4 4.1 4.2",
    8: "1.1 2.1 2.2 3.1", 9: "1.1 1.2 1.3 2.1", 10: "4.1 4.2 4.3 4.4 4.5", 11: "3.1 3.2 4.1",
    12: "1.1 2.1 2.2", 13: "4.1", 14: "2.1 3.1", 15: "1.1 2.1 3.1",
}  # fmt: skip
LEVEL_2 = {
    1: "1.1 1.2 2.6 2.7 2.8 2.9 3.3 3.4 3.5 3.6 3.7 3.8 3.9 3.10 3.11 4.1 4.2 4.3 5.2",
    2: "1.2 1.3 2.3 3.2 3.3 3.4 4.1",
    3: "3.2 3.3 3.4 4.3 4.4 4.5 4.6 5.4 5.5 7.1 7.2",
    4: "1.2 1.3 2.1 3.1 3.2 4.2 4.3 4.4",
    5: "1.1 2.3 4.1 4.2 4.3",
    6: "1.2 1.3 2.9 2.10 2.11 2.12 3.3 3.4 4.3 4.4 5.1 5.2 5.3 5.4 5.5 6.1 6.2 6.3 8.1 8.2 8.3 8.4",
    7: "1.1 1.2 1.3 3.1 3.2 4.3 4.4 4.5 5.1 5.2 6.1 6.2",
    8: "1.2 2.3 4.1",
    9: "2.2 2.3 2.4",
    10: "1.1 1.2 2.1 2.2 3.1 3.2 3.3 3.4 4.6 4.7 4.8 4.9 4.10 4.11 5.1 5.2 5.3 5.4 5.5 6.1 6.2 7.1"
    " 7.2 7.3",
    11: "1.1 1.2 2.1 2.2 2.3 3.3 4.2 4.3 4.4 5.1 6.1",
    12: "1.2 1.3 3.1 3.2 3.3 3.4",
    13: "1.1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 4.2 4.3 4.4 4.5",
    14: "1.1 1.2 2.2 2.3 2.4 3.2 3.3",
    15: "1.2 1.3 2.2 2.3 3.2 3.3 3.4 3.5 3.6 3.7",
    16: "1.1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 3.3 3.4 4.1 4.2 4.3 5.1 5.2 5.3",
    17: "1.1 2.1 2.2 2.3 2.4 3.1 3.2",
}
"""The requirements of ASVS 5.0.0 by chapter: 70 of level 1, 183 more of level 2."""


@cache
def table() -> dict[str, dict]:
    return yaml.safe_load((ROOT / "docs" / "security" / "asvs.yaml").read_text())


def numbers(chapters: dict[int, str]) -> set[str]:
    return {f"V{chapter}.{number}" for chapter, row in chapters.items() for number in row.split()}


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests that pytest collects from a file of plain functions."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@cache
def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]


def is_there(witness: str) -> bool:
    """Whether a test, a rule of the linters or a part of the documentation is there."""
    if witness.startswith("tests/"):
        path, _colons, name = witness.partition("::")
        return (ROOT / path).exists() and name.startswith("test_") and name in names_in(path)
    if witness.startswith("ruff:"):
        rule = witness.removeprefix("ruff:")
        ignored = pyproject()["ruff"]["lint"]["ignore"]
        is_kept = not any(rule.startswith(one) for one in ignored) and rule not in excused()
        return pyproject()["ruff"]["lint"]["select"] == ["ALL"] and is_kept
    if witness == "mypy:strict":
        return pyproject()["mypy"]["strict"] is True
    path, _hash, part = witness.partition("#")
    return (ROOT / path).exists() and part in parts(path)


@cache
def excused() -> set[str]:
    """The rules that some line of the product is let off."""
    marks = re.compile(r"# noqa: ([A-Z0-9, ]+)")
    found = (marks.findall(path.read_text()) for path in sources())
    return {rule for lines in found for line in lines for rule in re.split(r"[ ,]+", line)}


@cache
def parts(path: str) -> set[str]:
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


# ---- the table ----


def test_every_requirement_stands_in_the_table_once():
    lines = (ROOT / "docs" / "security" / "asvs.yaml").read_text().splitlines()
    keys = Counter(line[:-1] for line in lines if re.fullmatch(r"V[\d.]+:", line))
    assert [key for key, count in keys.items() if count > 1] == []
    levels = {key: row["level"] for key, row in table().items()}
    wanted = dict.fromkeys(numbers(LEVEL_1), 1) | dict.fromkeys(numbers(LEVEL_2), 2)
    assert (len(numbers(LEVEL_1)), len(numbers(LEVEL_2))) == (70, 183)
    assert levels == wanted


def test_whatever_is_held_names_what_would_fail_if_it_were_not():
    for key, row in table().items():
        assert row["state"] in {"held", "not held", "n/a"}, key
        if row["state"] == "held":
            assert row["about"], key
            assert row["by"], key
            assert [one for one in row["by"] if not is_there(one)] == [], key
        else:
            assert len(row["why"]) >= 5, key
            assert set(row) == {"level", "state", "why"}, key


def test_a_witness_that_is_not_there_is_noticed():
    here = "tests/house/test_security.py::test_a_witness_that_is_not_there_is_noticed"
    assert is_there(here)
    for gone in (f"{here}_", "tests/house/test_no.py::test_a", "ruff:S603", "docs/security.md#no"):
        assert not is_there(gone), gone


def test_level_1_holds_whole_and_nine_tenths_of_level_2():
    first = [row["state"] for row in table().values() if row["level"] == 1]
    second = Counter(row["state"] for row in table().values() if row["level"] == 2)
    assert "not held" not in first
    assert second["held"] >= 0.9 * (second["held"] + second["not held"])


def test_the_document_tells_the_sums_and_what_is_open():
    text = DOCUMENT.read_text()
    for level in (1, 2):
        found = Counter(row["state"] for row in table().values() if row["level"] == level)
        applies = found["held"] + found["not held"]
        row = f"| {level} | {applies + found['n/a']} | {applies} | {found['held']} |"
        assert row in text, row
    open_ones = [key for key, row in table().items() if row["state"] == "not held"]
    told = re.findall(r"^\| (V[\d.]+) \| (.+) \|$", text, re.MULTILINE)
    assert [key for key, _why in told] == open_ones
    assert {key: why.rstrip(".") for key, why in told} == {
        key: table()[key]["why"].rstrip(".") for key in open_ones
    }


# ---- what the document says of limits, words and keys ----


def test_the_document_tells_the_limits_of_the_settings():
    text = DOCUMENT.read_text()
    spoken = {"m": "a minute", "d": "a day"}
    for rates in settings.RATES.values():
        for rate in rates:
            count, _slash, span = rate.partition("/")
            assert f"{int(count):,} {spoken[span]}" in text, rate
    assert f"{settings.SESSION_IDLE_HOURS} hours" in text
    assert f"{settings.SESSION_DAYS} days" in text
    assert f"{settings.QUOTAS['bytes'] // 1024**3} GiB" in text
    assert f"{settings.QUOTAS['runs']:,} recordings" in text
    assert f"{settings.STEP_MAX_HOURS} hours" in text
    assert f"{settings.UPLOAD_MAX_SIZE // 1024**3} GiB" in text


def test_the_document_tells_the_kinds_of_files_that_are_taken():
    media = ast.parse((ROOT / "ingestion/archive/formats/media.py").read_text())
    found = next(
        node.value
        for node in media.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SUFFIXES"
    )
    suffixes = ast.literal_eval(found)
    text = DOCUMENT.read_text()
    assert [suffix for suffix in suffixes if f"`{suffix}`" not in text] == []


def test_the_document_tells_the_words_that_are_no_passwords():
    written = ast.parse((ROOT / "accounts/passwords.py").read_text())
    literals = [one.value for one in ast.walk(written) if isinstance(one, ast.Constant)]
    words = next(one for one in literals if isinstance(one, str) and "letmein" in one).split()
    told = re.search(r"Context words: ([\w, \n]+)\.", DOCUMENT.read_text())
    assert told is not None
    assert sorted(re.findall(r"\w+", told[1])) == sorted(words)


def test_the_document_lists_every_key_that_signs():
    models = ast.parse((ROOT / "notary/models.py").read_text())
    purpose = next(
        one for one in models.body if isinstance(one, ast.ClassDef) and one.name == "Purpose"
    )
    values = [
        one.value.elts[0].value
        for one in purpose.body
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Tuple)
    ]
    assert len(values) == 4
    assert [one for one in values if f"| `{one}` |" not in DOCUMENT.read_text()] == []


def test_there_is_no_way_in_that_is_not_written_down():
    assert settings.AUTHENTICATION_BACKENDS == [
        "rules.permissions.ObjectPermissionBackend",
        "django.contrib.auth.backends.ModelBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ]
    assert settings.REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"] == [
        "marketplace.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ]
    assert settings.MFA_SUPPORTED_TYPES == ["totp", "webauthn", "recovery_codes"]
    assert "allauth.socialaccount" not in settings.INSTALLED_APPS
    assert "django.contrib.admin" not in settings.INSTALLED_APPS
    assert not getattr(settings, "ACCOUNT_LOGIN_BY_CODE_ENABLED", False)
    assert not getattr(settings, "ACCOUNT_LOGIN_ON_PASSWORD_RESET", False)
    doors = ("login", "perform_login", "perform_password_login")
    signs_in = {path for path, tree in trees().items() if calls(tree, *doors)}
    # allauth's door, which is written down, and the link that was mailed.
    assert signs_in == {"marketplace/http/signing_in.py", "marketplace/pages/joining.py"}


def test_no_password_has_to_be_changed_by_a_date():
    names = [one["NAME"].rpartition(".")[2] for one in settings.AUTH_PASSWORD_VALIDATORS]
    assert names == [
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "ContextValidator",
    ]
    assert all("password_expires" not in path.read_text() for path in sources())


def test_nobody_is_asked_what_others_may_know():
    fields = re.compile(r"hint|secret_question|mother|birth", re.IGNORECASE)
    pages = [*(ROOT / "templates" / "account").glob("*.html")]
    assert pages
    assert [page.name for page in pages if fields.search(page.read_text())] == []


def test_a_recovery_code_has_eight_digits():
    assert getattr(settings, "MFA_RECOVERY_CODE_DIGITS", 8) >= 8  # 26 bits
    assert settings.MFA_TOTP_TOLERANCE <= 1
