"""Sentences that can be told in another language: the English text is the gettext message id.

A refusal is a code with parameters (errors.CommonholdError); what it says is one of these, with
`%(name)s` where a parameter stands. Here nothing is translated: whoever shows a sentence hands
`told` the functions that look it up.
"""

from collections.abc import Callable, Mapping
from typing import Any, Self

Translate = Callable[[str], str]
TranslateCounted = Callable[[str, str, int], str]
Write = Callable[[object], object]


class Sentence(str):
    """An English sentence with `%(name)s` where parameters stand: a gettext message id."""

    __slots__ = ()


class Counted(Sentence):
    """A sentence that reads otherwise of one thing than of several."""

    __slots__ = ("number", "several")

    several: str
    number: int

    def __new__(cls, one: str, several: str, number: int) -> Self:
        made = super().__new__(cls, one)
        made.several, made.number = several, number
        return made


class Filled(Sentence):
    """A sentence with its own parameters: what another one takes as a parameter.

    As text it is its English.
    """

    __slots__ = ("parameters", "sentence")

    sentence: str
    parameters: Mapping[str, object]

    def __new__(cls, sentence: str, parameters: Mapping[str, object]) -> Self:
        made = super().__new__(cls, told(sentence, parameters))
        made.sentence, made.parameters = sentence, parameters
        return made


def _(text: str) -> Sentence:
    """Mark a sentence for translation."""
    return Sentence(text)


def n_(one: str, several: str, number: int) -> Counted:
    """Mark a sentence about `number` things for translation."""
    return Counted(one, several, number)


def filled(sentence: str, **parameters: object) -> Filled:
    """Give a sentence its parameters, to stand as a parameter in another."""
    return Filled(sentence, parameters)


def one_after_another(*sentences: str) -> Filled:
    """Put whole sentences beside each other, to be told as one text."""
    named = {f"sentence_{place}": sentence for place, sentence in enumerate(sentences)}
    return Filled(Sentence(" ".join(f"%({name})s" for name in named)), named)


def plainly(text: str) -> str:
    """Leave a sentence as it is."""
    return text


def plainly_counted(one: str, several: str, number: int) -> str:
    """Choose between the two English forms."""
    return one if number == 1 else several


def written(value: object) -> object:
    """Write a number with its thousands apart, as English does; leave the rest as it is."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


def told(
    sentence: str,
    parameters: Mapping[str, object],
    *,
    translate: Translate = plainly,
    counted: TranslateCounted = plainly_counted,
    write: Write = written,
) -> str:
    """Return a sentence with its parameters in place, those that are sentences told likewise.

    `write` says how numbers and days are written. What names a thing is text, and stays as it is.
    Text that is no Sentence is finished, and returned as it is. In a Sentence a percent sign is
    written twice.
    """
    if isinstance(sentence, Filled):
        inner, own = sentence.sentence, sentence.parameters
        return told(inner, own, translate=translate, counted=counted, write=write)
    if not isinstance(sentence, Sentence):
        return sentence
    if isinstance(sentence, Counted):
        text = counted(str(sentence), sentence.several, sentence.number)
    else:
        text = translate(str(sentence))
    words = {
        name: told(value, {}, translate=translate, counted=counted, write=write)
        if isinstance(value, Sentence)
        else write(value)
        for name, value in parameters.items()
    }
    return text % words


def as_record(value: object) -> Any:
    """Return a sentence as JSON, marked as one; other values as they are, or as text."""
    if isinstance(value, Filled):
        parameters = {name: as_record(one) for name, one in value.parameters.items()}
        return {"sentence": as_record(value.sentence), "parameters": parameters}
    if isinstance(value, Counted):
        return {"one": str(value), "several": value.several, "number": value.number}
    if isinstance(value, Sentence):
        return {"text": str(value)}
    return value if isinstance(value, str | int | list | None) else str(value)


def from_record(record: Any) -> Any:
    """Return what `as_record` wrote down."""
    match record:
        case {"one": str(one), "several": str(several), "number": int(number)}:
            return Counted(one, several, number)
        case {"sentence": sentence, "parameters": dict(parameters)}:
            own = {name: from_record(one) for name, one in parameters.items()}
            return Filled(from_record(sentence), own)
        case {"text": str(text)}:
            return Sentence(text)
        case _:
            return record
