"""Datasets, their bytes, the consent behind them, what was done to them, and the log of it."""

from ingestion.models.consent import ConsentEvent, ConsentRecord, ConsentScope, Speaker
from ingestion.models.dataset import Dataset, Task, Version
from ingestion.models.file import Blob, File
from ingestion.models.log import Checkpoint, LogEntry, LogNode
from ingestion.models.pipeline import PipelineRun, Recipe, StepRun
from ingestion.models.review import Finding, Redaction, Segment
from ingestion.models.upload import Upload, UploadPart

__all__ = [
    "Blob",
    "Checkpoint",
    "ConsentEvent",
    "ConsentRecord",
    "ConsentScope",
    "Dataset",
    "File",
    "Finding",
    "LogEntry",
    "LogNode",
    "PipelineRun",
    "Recipe",
    "Redaction",
    "Segment",
    "Speaker",
    "StepRun",
    "Task",
    "Upload",
    "UploadPart",
    "Version",
]
