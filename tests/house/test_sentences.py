"""Every sentence for people is a gettext message, in services as well as in pages."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from commonhold.errors import CommonholdError, Recorded
from commonhold.sentences import Counted, _, as_record, filled, from_record, n_, told

ROOT = Path(__file__).parents[2]
PACKAGES = ("accounts", "ingestion", "licensing", "marketplace", "sdk/commonhold")
# What an operator reads on a terminal is English.
FOR_OPERATORS = ("marketplace/host",)
# What Django tells people, by the place of the sentence among the arguments.
TELLING = {
    "success": 1,
    "error": 1,
    "warning": 1,
    "info": 1,
    "add_error": 1,
    "ValidationError": 0,
    "PermissionDenied": 0,
    "Http404": 0,
    "Check": 1,
    "filled": 0,
}
# Of forms; those of the API are its documentation, which is English.
WORDS_OF_A_FIELD = {"label", "help_text", "empty_label"}
FORMS = "marketplace/pages/"

# The documentation of the API, which is English.
ENGLISH_FOR_PROGRAMMERS = "templates/api/docs.html"
# Of a template: what is no text, what is translated, what is code, and names.
NOT_WORDS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"{#.*?#}",
        r"{% comment .*?endcomment %}",
        r"{% blocktranslate.*?endblocktranslate %}",
        r"{% codeblock .*?endcodeblock %}",
        r"{% block \w*class %}\w[\w -]*{% endblock %}",
        r"{%.*?%}",
        r"{{.*?}}",
        r"<(script|style|code|pre|kbd)\b.*?</\1>",
        r"&\w+;",
        r"\bCommonhold\b|\bSHA-256\b|\bAPI\b|consent-template\.csv|/log/checkpoint",
    )
)
SPOKEN = re.compile(r'\b(?:aria-label|alt|title|placeholder|data-label|data-say-[\w-]+)="([^"]*)"')


@cache
def modules() -> dict[str, ast.Module]:
    """Every module whose sentences people read, by its path."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "migrations" not in path.parts and not name.startswith(FOR_OPERATORS):
                found[name] = ast.parse(path.read_text())
    return found


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name, or nothing."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def refusals(trees: dict[str, ast.Module]) -> set[str]:
    """The names of all classes below CommonholdError."""
    classes = [one for tree in trees.values() for one in ast.walk(tree)]
    bases = {
        one.name: {name_of(base) for base in one.bases}
        for one in classes
        if isinstance(one, ast.ClassDef)
    }
    found = {"CommonholdError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, dict[str, list[ast.expr]]]]:
    """Every call, with what the names around it were given."""
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.Module):
            given: dict[str, list[ast.expr]] = {}
            for one in ast.walk(scope):
                if isinstance(one, ast.Assign):
                    for target in one.targets:
                        given.setdefault(name_of(target), []).append(one.value)
            yield from ((one, given) for one in ast.walk(scope) if isinstance(one, ast.Call))


def is_plain(sentence: ast.expr, given: dict[str, list[ast.expr]]) -> bool:
    """Whether a sentence is written where no translation can find it."""
    if isinstance(sentence, ast.Name):
        return any(is_plain(value, {}) for value in given.get(sentence.id, ()))
    if isinstance(sentence, ast.BinOp) and isinstance(sentence.op, ast.Mod):
        return is_plain(sentence.left, given)
    if isinstance(sentence, ast.IfExp):
        return is_plain(sentence.body, given) or is_plain(sentence.orelse, given)
    if isinstance(sentence, ast.Constant):
        return isinstance(sentence.value, str) and any(map(str.isalpha, sentence.value))
    return isinstance(sentence, ast.JoinedStr | ast.BinOp)


def sentences(call: ast.Call, errors: set[str]) -> Iterator[ast.expr]:
    """What a call tells people."""
    name = name_of(call.func)
    of = name_of(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    place = 0 if name in errors else TELLING.get(name)
    if place is not None and len(call.args) > place and of != "log":
        yield call.args[place]


def labels(call: ast.Call) -> Iterator[ast.expr]:
    """The words that a field of a form is called."""
    yield from (one.value for one in call.keywords if one.arg in WORDS_OF_A_FIELD)


@cache
def plain_sentences() -> set[str]:
    """Where sentences stand that are no messages: path and line."""
    trees = modules()
    errors = refusals(trees)
    return {
        f"{path}:{call.lineno}"
        for path, tree in trees.items()
        for call, given in calls(tree)
        for one in (*sentences(call, errors), *(labels(call) if path.startswith(FORMS) else ()))
        if is_plain(one, given)
    }


def test_no_refusal_and_no_word_of_a_form_is_plain_text():
    assert plain_sentences() == set()


def test_a_refusal_in_plain_text_is_found():
    tree = ast.parse('raise CommonholdError(f"{path} is gone.")')
    ((call, given),) = calls(tree)
    assert [is_plain(one, given) for one in sentences(call, {"CommonholdError"})] == [True]


def test_whatever_marks_a_sentence_is_known_to_the_collector():
    known = {"_", "n_", "sentence_of", None}
    aliases = {
        (path, one.asname)
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module in {"commonhold.sentences", "django.utils.translation"}
        for one in node.names
        if one.asname not in known
    }
    assert aliases == set()


def test_templates_leave_money_sizes_days_and_plurals_to_cldr():
    by_hand = re.compile(
        r"\|\s*(date|time|timesince|naturaltime|pluralize|filesizeformat|floatformat|intcomma)\b"
    )
    found = {
        f"{path.relative_to(ROOT)}: {one[0]}"
        for path in (ROOT / "templates").rglob("*.html")
        for one in by_hand.finditer(path.read_text())
    }
    assert found == set()


def bare_words(template: str) -> list[str]:
    """The words of a template that stand outside of every tag that translates."""
    for passed_over in NOT_WORDS:
        template = passed_over.sub(" ", template)
    spoken = SPOKEN.findall(template)
    texts = re.split(r"<[^>]*>", template)
    return [text.strip() for text in (*spoken, *texts) if re.search(r"[^\W\d_]{2}", text)]


def test_templates_have_no_words_outside_of_gettext():
    found = {
        f"{path.relative_to(ROOT)}: {text}"
        for path in (ROOT / "templates").rglob("*.html")
        if path.relative_to(ROOT).as_posix() != ENGLISH_FOR_PROGRAMMERS
        for text in bare_words(path.read_text())
    }
    assert found == set()


def test_a_forgotten_word_of_a_template_is_found():
    page = '<p title="{% translate "a" %} left">{% translate "b" %} {{ c }} here<code>d</code></p>'
    assert bare_words(page) == ["left", "here"]


def written_by_hand(tree: ast.Module) -> Iterator[int]:
    """The lines on which a number or a day is written in the English way."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            spec = "".join(
                str(one.value) for one in node.format_spec.values if isinstance(one, ast.Constant)
            )
            if "," in spec or re.search(r"\.\d+f", spec):
                yield node.lineno
        if isinstance(node, ast.Attribute) and node.attr in {"strftime", "intcomma"}:
            yield node.lineno


def test_code_leaves_numbers_and_days_to_cldr():
    # English sentences have their own place, and moments in signed papers are RFC 3339.
    own = {"sdk/commonhold/sentences.py", "sdk/commonhold/times.py"}
    found = {
        f"{path}:{line}"
        for path, tree in modules().items()
        if path not in own
        for line in written_by_hand(tree)
    }
    assert found == set()


def scripts() -> dict[str, str]:
    """Our scripts without their comments, by name."""
    return {
        path.name: re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)
        for path in (ROOT / "assets" / "js").glob("*.js")
    }


def test_scripts_say_only_what_stands_in_the_page():
    pages = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    offered = set(re.findall(r"data-say-([a-z-]+)=", pages))
    code = "".join(scripts().values())
    spoken = set(re.findall(r"\bsay\(\s*\"([a-z-]+)\"", code))
    chosen = re.findall(r"\bsay\([^()]*\? \"([a-z-]+)\" : \"([a-z-]+)\"", code)
    spoken |= {name for pair in chosen for name in pair}
    spoken |= set(re.findall(r"\"(unfinished-[a-z]+)\"", code))
    assert spoken == offered


def test_scripts_have_no_words_of_their_own():
    literal = r"""(["'`])([A-Za-z$](?:(?!\1)[^\\\n])*)\1"""
    found = {one[1] for code in scripts().values() for one in re.findall(literal, code)}
    words = {one for one in found if re.search(r"[a-z]{2,} [a-z]{2,}", one)}
    assert words == {"button button-quiet button-small"}


def shout(text: str) -> str:
    """A translation that anybody can see."""
    return text.upper().replace("%(PATH)S", "%(path)s").replace("%(WHY)S", "%(why)s")


def test_a_sentence_within_a_sentence_is_told_in_the_same_language():
    why = filled(_("line %(row)s is too long"), row=7)
    text = told(_("«%(path)s» was refused: %(why)s."), {"path": "a.txt", "why": why})
    assert text == "«a.txt» was refused: line 7 is too long."
    loud = told(
        _("«%(path)s» was refused: %(why)s."),
        {"path": "a.txt", "why": filled(_("its end is missing"))},
        translate=shout,
    )
    assert loud == "«a.txt» WAS REFUSED: ITS END IS MISSING."


@pytest.mark.parametrize(
    "sentence",
    [
        _("its end is missing"),
        n_("%(count)s line", "%(count)s lines", 3),
        filled(_("line %(row)s: %(why)s"), row=7, why=_("it lacks a text field.")),
        "plain text",
        7,
    ],
)
def test_a_sentence_that_was_written_down_is_read_again(sentence: object):
    read = from_record(as_record(sentence))
    assert (read, type(read)) == (sentence, type(sentence))
    assert as_record(read) == as_record(sentence)


def test_a_refusal_that_was_kept_tells_its_inner_sentences_anew():
    refusal = CommonholdError(_("«%(path)s»: %(why)s"), path="a.txt", why=filled(_("no text")))
    kept = Recorded.of(refusal.as_record())
    assert told(kept.sentence, kept.details, translate=shout) == "«a.txt»: NO TEXT"
    assert kept.message == refusal.message


def test_a_counted_sentence_keeps_its_number():
    kept = from_record(as_record(n_("one", "several", 2)))
    assert isinstance(kept, Counted)
    assert told(kept, {}) == "several"
