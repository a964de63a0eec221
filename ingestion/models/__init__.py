"""Datasets, their bytes, the consent behind them, what was done to them, and the news of it."""

from ingestion.models.consent import (
    ConsentEvent,
    ConsentRecord,
    ConsentScope,
    LeftOut,
    ReleaseConsent,
    ReleaseFileConsent,
    Speaker,
)
from ingestion.models.dataset import Dataset, Seal, Task, Version
from ingestion.models.file import File, Redaction, ReleaseFile
from ingestion.models.news import Cursor, News, NewsRow
from ingestion.models.pipeline import PipelineRun, Recipe, StepFile, StepRun, Turn
from ingestion.models.recording import Blob, Recording
from ingestion.models.review import Decision, Finding, Hearing, Segment
from ingestion.models.upload import Upload, UploadPart

__all__ = [
    "Blob",
    "ConsentEvent",
    "ConsentRecord",
    "ConsentScope",
    "Cursor",
    "Dataset",
    "Decision",
    "File",
    "Finding",
    "Hearing",
    "LeftOut",
    "News",
    "NewsRow",
    "PipelineRun",
    "Recipe",
    "Recording",
    "Redaction",
    "ReleaseConsent",
    "ReleaseFile",
    "ReleaseFileConsent",
    "Seal",
    "Segment",
    "Speaker",
    "StepFile",
    "StepRun",
    "Task",
    "Turn",
    "Upload",
    "UploadPart",
    "Version",
]
