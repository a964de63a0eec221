"""The one error base of the project: what happened, what it means, what to do (RFC 9457)."""

from typing import Any, ClassVar, Self

from commonhold.sentences import Filled, as_record, from_record, told

PROBLEM_BASE = "https://w3id.org/commonhold/problems/"


class CommonholdError(Exception):
    """A refusal or failure that a person can act on.

    `code` names the kind of error for programs, `status` is the HTTP status that fits it.
    Keyword arguments are the parameters of the sentence, and extension members of the problem
    document. `message` is the sentence in English; who shows it in another language tells
    `sentence` anew (commonhold.sentences).
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, sentence: str, /, **details: object) -> None:
        self.sentence = sentence
        self.details = details
        self.message = told(sentence, details)
        super().__init__(self.message)

    @property
    def said(self) -> Filled:
        """The sentence with its parameters, to stand in another."""
        return Filled(self.sentence, self.details)

    def as_problem(self, *, detail: str = "") -> dict[str, object]:
        """Return the problem document of RFC 9457 §3, details as extension members (§3.2).

        `detail` is the sentence in the reader's language, where that is not English.
        """
        return {
            **{name: member(value) for name, value in self.details.items()},
            "type": PROBLEM_BASE + self.code,
            "title": self.code.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": detail or self.message,
            "code": self.code,
        }

    def as_record(self) -> dict[str, Any]:
        """Return the refusal as JSON, for keeping where somebody will read it later."""
        return {
            "code": self.code,
            "sentence": as_record(self.sentence),
            "parameters": {name: as_record(value) for name, value in self.details.items()},
        }


class Recorded(CommonholdError):
    """A refusal that was kept with `as_record`; `code` is the one that it had."""

    def __init__(self, sentence: str, *, code: str, **details: object) -> None:
        super().__init__(sentence, **details)
        self.recorded_code = code

    @classmethod
    def of(cls, record: dict[str, Any]) -> Self:
        """Read what `as_record` wrote."""
        parameters = {name: from_record(value) for name, value in record["parameters"].items()}
        return cls(from_record(record["sentence"]), code=record["code"], **parameters)


def reason(error: Exception) -> str:
    """Return what an error says, to stand in another: a refusal's sentence, or a library's text."""
    return error.said if isinstance(error, CommonholdError) else str(error)


def member(value: object) -> Any:
    """Return a parameter as JSON has it: text for what JSON has no word for."""
    return value if isinstance(value, str | int | float | list | dict | None) else str(value)
