"""What a child says it made, checked before anything of it is believed or kept.

Whoever took a child over wrote this answer: names may point elsewhere, files may be links.
"""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any, NoReturn

from commonhold.errors import CommonholdError, Recorded
from commonhold.paths import InvalidPathError, check_path, path_key
from commonhold.sentences import _

from ingestion.pipeline.budgets import MOST_OUTPUTS

RESULT = "result.json"
MOST_BYTES = 64 * 1024 * 1024
"""Twelve hours of words with their times take a third of it."""
KEYS, TOOL_KEYS = {"output", "files", "tool"}, {"name", "version", "model_sha256"}
LONGEST_NAME, LONGEST_TEXT, DEEPEST, MOST_PLACES = 80, 2000, 3, 12
"""Of a tool's name; of a sentence or what stands in it; of sentences within sentences."""
ODD = re.compile(r"%(?!%|\(\w+\)s)")
"""A place in a sentence that is not `%(name)s`: one may ask for a gigabyte of blanks."""
FAULTS = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError)


class AnswerRefused(CommonholdError):
    """A step left an answer that no step of ours leaves."""

    code = "step-answer-refused"
    status = 500


def read(out: Path) -> dict[str, Any]:
    """Return what a step left in its folder: a result or `{"error"}`, {} for nothing.

    Raises AnswerRefused.
    """
    try:
        raw = read_small(out / RESULT)
    except FileNotFoundError:
        return {}
    except OSError as error:
        refuse(str(error))
    # PostgreSQL's JSON has no NUL, and no text has half a surrogate pair.
    if b"\\u0000" in raw:
        refuse("NUL")
    try:
        answer = json.loads(raw, parse_constant=refuse)
        json.dumps(answer, ensure_ascii=False).encode()
        (check_error if "error" in answer else check_result)(answer, out)
    except (*FAULTS, InvalidPathError) as error:
        refuse(error.message if isinstance(error, InvalidPathError) else str(error))
    checked: dict[str, Any] = answer
    return checked


def refuse(what: str) -> NoReturn:
    """Raise AnswerRefused."""
    sentence = _("The step's answer can't be believed, so nothing of it was kept (%(what)s).")
    raise AnswerRefused(sentence, what=what[:200])


def read_small(path: Path) -> bytes:
    """Return a small regular file's bytes, never following a link. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
            raise OSError(f"{RESULT} is no small file")
        return file.read(MOST_BYTES)


def check_error(answer: dict[str, Any], out: Path) -> None:
    """Refuse an error that can't be told, or only at great length."""
    del out
    told = answer["error"]
    if set(answer) != {"error"} or not isinstance(told["code"], str):
        refuse("error")
    check_sentence({"sentence": told["sentence"], "parameters": told["parameters"]}, depth=0)
    error = Recorded.of(told)
    CommonholdError(error.sentence, **error.details)


def check_sentence(record: Any, *, depth: int) -> None:
    """Refuse what grows when it is told: odd places, and sentences that repeat one another."""
    match record:
        case {"sentence": sentence, "parameters": dict(parameters)} if depth <= DEEPEST:
            for part in (sentence, *parameters.values()):
                check_sentence(part, depth=depth + 1)
        case {"one": str(one), "several": str(several)}:
            check_places(one)
            check_places(several)
        case {"text": str(text)}:
            check_places(text)
        case _ if len(str(record)) > LONGEST_TEXT:
            refuse("error")


def check_places(text: str) -> None:
    """Refuse a sentence whose places ask for more than their parameters."""
    if len(text) > LONGEST_TEXT or ODD.search(text) or text.count("%(") > MOST_PLACES:
        refuse("error")


def check_result(answer: dict[str, Any], out: Path) -> None:
    """Refuse a result of another shape, and files that are not its own."""
    tool, files = answer["tool"], answer["files"]
    texts = [tool["name"], tool["version"], tool.get("model_sha256") or ""]
    if (
        set(answer) != KEYS
        or not isinstance(answer["output"], dict)
        or not isinstance(files, list)
        or not set(tool) <= TOOL_KEYS
        or not all(isinstance(one, str) and len(one) <= LONGEST_NAME for one in texts)
        or not tool["name"]
    ):
        refuse("shape")
    if len(files) > MOST_OUTPUTS or len({path_key(name) for name in files}) < len(files):
        refuse("files")
    for name in files:
        check_file(out, name)


def check_file(out: Path, name: str) -> None:
    """Refuse a name that is not of a regular file, named once, in the step's own folder."""
    path = out
    *folders, last = check_path(name).split("/")
    for part in folders:
        path /= part
        if not stat.S_ISDIR(path.lstat().st_mode):
            refuse(name)
    found = (path / last).lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or name == RESULT:
        refuse(name)
