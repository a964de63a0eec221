"""The Celery application. Workers and beat start from here: `celery -A marketplace worker`."""

import logging
import os
from typing import Any

from celery import Celery, bootsteps
from celery.contrib.django.task import DjangoTask

from accounts import requests
from ingestion.pipeline import children
from marketplace.host import permissions

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")


class KeepPrivate(bootsteps.Step):
    """What a worker writes is its owner's alone, however it was started."""

    def __init__(self, worker: object, **options: object) -> None:
        permissions.keep_private()
        super().__init__(worker, **options)


class Identified(DjangoTask):
    """What is written down in a task bears the task's id."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task."""
        with requests.during(requests.Request(id=self.request.id or "")):
            return super().__call__(*args, **kwargs)


app = Celery("marketplace", task_cls=Identified)
app.steps["worker"].add(KeepPrivate)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class TellIsolation(bootsteps.StartStopStep):
    """Says at a worker's start what stands around the steps; where too little does, runs wait."""

    def start(self, parent: Any) -> None:
        del parent
        logging.getLogger(__name__).info(children.report())


app.steps["worker"].add(TellIsolation)
