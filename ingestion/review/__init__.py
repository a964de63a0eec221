"""The person's part: hearing, deciding, correcting, leaving out. The face of this room."""

from ingestion.review.decisions import (
    KINDS,
    DecisionInvalid,
    NotInReview,
    TextChanged,
    add_finding,
    decide,
    leave_out_uncovered,
    review_segment,
)
from ingestion.review.finishing import finish
from ingestion.review.leaving_out import (
    NobodyLeft,
    SpeakerUnknown,
    bring_back_speaker,
    leave_out_speaker,
    leave_out_speakers,
)
from ingestion.review.progress import (
    Progress,
    ReviewUnfinished,
    progress,
    progress_of,
    published,
    require_complete,
    uncovered,
)
from ingestion.review.stretches import (
    between,
    keep_unwritten,
    leave_out_unwritten,
    place,
    write_down,
)
from ingestion.review.undoing import UndoRefused, last, undo

__all__ = [
    "KINDS",
    "DecisionInvalid",
    "NobodyLeft",
    "NotInReview",
    "Progress",
    "ReviewUnfinished",
    "SpeakerUnknown",
    "TextChanged",
    "UndoRefused",
    "add_finding",
    "between",
    "bring_back_speaker",
    "decide",
    "finish",
    "keep_unwritten",
    "last",
    "leave_out_speaker",
    "leave_out_speakers",
    "leave_out_uncovered",
    "leave_out_unwritten",
    "place",
    "progress",
    "progress_of",
    "published",
    "require_complete",
    "review_segment",
    "uncovered",
    "undo",
    "write_down",
]
