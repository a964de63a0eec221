"""Who consented to what: writing it down, ending it, and what it covers. The face of this room."""

from ingestion.consent.faults import ConsentInvalid, Notice, Terms
from ingestion.consent.records import Evidence, enter, record
from ingestion.consent.scopes import Coverage, Stretch, check_stretch, clock, cover, in_force
from ingestion.consent.speakers import Person, add_speaker
from ingestion.consent.withdrawal import (
    MAX_REASON,
    ConsentEnded,
    ConsentReliedOn,
    PurposeNotGiven,
    ReasonMissing,
    erase,
    note_expired,
    void,
    withdraw,
    withdraw_purposes,
    withdraw_speaker,
    withdraw_speaker_purposes,
)

__all__ = [
    "MAX_REASON",
    "ConsentEnded",
    "ConsentInvalid",
    "ConsentReliedOn",
    "Coverage",
    "Evidence",
    "Notice",
    "Person",
    "PurposeNotGiven",
    "ReasonMissing",
    "Stretch",
    "Terms",
    "add_speaker",
    "check_stretch",
    "clock",
    "cover",
    "enter",
    "erase",
    "in_force",
    "note_expired",
    "record",
    "void",
    "withdraw",
    "withdraw_purposes",
    "withdraw_speaker",
    "withdraw_speaker_purposes",
]
