"""The refusal of a file for what it is."""

from typing import ClassVar

from commonhold.errors import CommonholdError


class RefusedError(CommonholdError):
    """The file is at fault, not the machine: trying again gives the same answer.

    `reason` is a short slug for programs (`truncated`, `wrong-type`, …).
    """

    code: ClassVar[str] = "file-refused"
    status: ClassVar[int] = 422

    def __init__(self, sentence: str, *, reason: str, **details: object) -> None:
        super().__init__(sentence, reason=reason, **details)
        self.reason = reason
