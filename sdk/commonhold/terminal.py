"""How commands speak: words or JSON, and exit codes that scripts can rely on.

0 done, 1 verification or business refusal, 2 usage, 3 server or network.

Everything goes through `say` or `say_json`: much of what commands tell was written by a site or in
a manifest, and none of it reaches the terminal as a control sequence.
"""

import functools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from commonhold.addresses import AddressError
from commonhold.client import NetworkError, NotConfiguredError, ServerError
from commonhold.errors import CommonholdError
from commonhold.paths import is_visible, visible
from commonhold.shapes import AnswerError

DONE, REFUSED, USAGE, TROUBLE = 0, 1, 2, 3
TROUBLES = (NetworkError, ServerError, AnswerError, AddressError)


@dataclass(frozen=True)
class Outcome:
    """What a command has to say: `data` for programs, `lines` for people."""

    data: Any
    lines: Sequence[str]
    exit_code: int = DONE


def exit_code_of(error: CommonholdError) -> int:
    """Return the exit code for an error."""
    if isinstance(error, NotConfiguredError):
        return USAGE
    return TROUBLE if isinstance(error, TROUBLES) else REFUSED


def say(line: str, *, err: bool = False) -> None:
    """Print one line, with whatever is invisible in it spelled out."""
    click.echo(visible(line), err=err)


def say_json(data: Any) -> None:
    """Print JSON, with whatever is invisible in it escaped."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    click.echo("".join(one if one == "\n" or is_visible(one) else _escaped(one) for one in text))


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]


def reporting(function: Callable[..., Outcome]) -> Callable[..., None]:
    """Give a command `--json`, print its outcome, and turn errors into messages and exit codes."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
    @click.pass_context
    @functools.wraps(function)
    def run(context: click.Context, /, *args: Any, as_json: bool, **options: Any) -> None:
        try:
            outcome = function(*args, **options)
        except click.UsageError as error:
            raise click.UsageError(visible(error.message), error.ctx) from error
        except CommonholdError as error:
            problem = error.as_problem()
            outcome = Outcome(problem, [], exit_code_of(error))
            if not as_json:
                say(f"Error: {error.message}", err=True)
                _explain(problem)
        except OSError as error:
            outcome = Outcome({"code": "file-trouble", "detail": str(error)}, [], REFUSED)
            if not as_json:
                say(f"Error: {error}", err=True)
        if as_json:
            say_json(outcome.data)
        for line in () if as_json else outcome.lines:
            say(line)
        context.exit(outcome.exit_code)

    return run


def _explain(problem: dict[str, Any]) -> None:
    rows = problem.get("rows")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            where = f"  row {row.get('row')}, {row.get('field')}"
            say(f"{where}: {row.get('message')}", err=True)


def show_progress(path: str, done: int, total: int) -> None:
    """Rewrite one line on a terminal; say nothing where the output is a file or a program."""
    if sys.stderr.isatty():
        percent = 100 if total == 0 else done * 100 // total
        click.echo(f"\r\033[K{percent:3d} %  {visible(path)}", err=True, nl=done >= total)


def money(minor: int, currency: str) -> str:
    """Return an amount in minor units for people: `490.00 EUR`."""
    return f"{minor // 100}.{minor % 100:02d} {currency}"


def duration(milliseconds: int) -> str:
    """Return a length of time for people: `1:02:03`."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
