"""The one error base of the project: what happened, what it means, what to do (RFC 9457)."""

from typing import ClassVar

PROBLEM_BASE = "https://w3id.org/commonhold/problems/"


class CommonholdError(Exception):
    """A refusal or failure that a person can act on.

    `code` names the kind of error for programs, `status` is the HTTP status that fits it.
    Keyword arguments become extension members of the problem document.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def as_problem(self) -> dict[str, object]:
        """Return the problem document of RFC 9457 §3, details as extension members (§3.2)."""
        return {
            **self.details,
            "type": PROBLEM_BASE + self.code,
            "title": self.code.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.message,
            "code": self.code,
        }
