"""What a verification found: a vector of five checks, never one boolean (each can fail alone)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from commonhold.sentences import told


class State(StrEnum):
    """How one check ended. `unknown` means not checked, which never reads as fine."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One element of the vector: its state, one sentence, and facts for programs.

    `said` may be a commonhold.sentences.Sentence: its parameters are `words` and the details.
    """

    state: State
    said: str
    details: Mapping[str, object] = field(default_factory=dict)
    words: Mapping[str, object] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The sentence in English. Who shows it in another language tells `said` anew."""
        return told(self.said, self.parameters)

    @property
    def parameters(self) -> dict[str, object]:
        """What stands in the sentence."""
        return {**self.details, **self.words}

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "state": self.state.value,
            "sentence": self.sentence,
            "details": dict(self.details),
        }


@dataclass(frozen=True)
class Report:
    """The whole vector, what it is about, and where the keys came from."""

    signature: Check
    logged: Check
    files: Check
    license: Check
    consent: Check
    trust: Check
    about: Mapping[str, object] = field(default_factory=dict)

    @property
    def vector(self) -> dict[str, Check]:
        """The five checks by name, in the order in which people read them."""
        return {
            "signature": self.signature,
            "logged": self.logged,
            "files": self.files,
            "license": self.license,
            "consent": self.consent,
        }

    @property
    def passed(self) -> bool:
        """Whether somebody vouched for the keys and nothing failed.

        Other warnings and unknowns are for the reader to weigh.
        """
        if self.trust.state in {State.FAILED, State.UNKNOWN}:
            return False
        return all(check.state is not State.FAILED for check in self.vector.values())

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form: `passed`, `checks` by name, `trust`, `about`."""
        return {
            "passed": self.passed,
            "checks": {name: check.as_dict() for name, check in self.vector.items()},
            "trust": self.trust.as_dict(),
            "about": dict(self.about),
        }
