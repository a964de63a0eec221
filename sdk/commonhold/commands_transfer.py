"""`upload`, `status`, `download`."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import click

from commonhold import shapes, uploading
from commonhold.client import Client, NotFoundError, dataset_path
from commonhold.commands_verify import against_memory, vector_lines
from commonhold.downloading import download as download_release
from commonhold.downloading import find_grant
from commonhold.terminal import DONE, REFUSED, Outcome, reporting, say, show_progress
from commonhold.verify import read_root, verify

EXISTING = click.Path(exists=True, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
POLL_S = 2.0
UNSETTLED = frozenset({"processing"})


def _ensure_dataset(
    client: Client, name: str, title: str | None, language: str | None, task: str | None
) -> bool:
    """Create the dataset unless it is there; return whether it was created."""
    try:
        client.dataset(name)
    except NotFoundError:
        if title is None or language is None:
            message = f"There is no dataset {name} yet. To create it, add --title and --language."
            raise click.UsageError(message) from None
        body = {"slug": name.partition("/")[2], "title": title, "language": language}
        task = task or "speech-recognition"
        client.request("POST", "datasets", json={**body, "task": task, "description": ""})
        return True
    return False


@click.command()
@click.argument("paths", nargs=-1, required=True, type=EXISTING)
@click.option("--dataset", required=True, help="SLUG, or ORGANIZATION/SLUG.")
@click.option("--consent", type=FILE, help="Consent table (CSV); evidence files lie beside it.")
@click.option("--notice", type=FILE, help="The text that the speakers were shown.")
@click.option("--title", help="Title, to create the dataset if it is not there.")
@click.option("--language", help="Language tag, to create the dataset if it is not there.")
@click.option("--task", help="Task, to create the dataset if it is not there.")
@click.option("--process", is_flag=True, help="Start the pipeline afterwards.")
@reporting
def upload(
    paths: tuple[Path, ...],
    *,
    dataset: str,
    consent: Path | None,
    notice: Path | None,
    title: str | None,
    language: str | None,
    task: str | None,
    process: bool,
) -> Outcome:
    """Upload files and folders into the dataset's draft. Run it again to resume."""
    files = uploading.collect(paths)
    with Client() as client:
        name = client.full_name(dataset)
        created = _ensure_dataset(client, name, title, language, task)
        done = uploading.upload_all(client, name, files, show_progress)
        version = client.request("POST", dataset_path(name, "versions"), shapes.NUMBERED)
        data: dict[str, Any] = {"dataset": name, "created": created}
        data |= {"files": done.files, "kept": done.kept}
        lines = [_uploaded_line(done, name, version["number"])]
        if consent is not None:
            data["consent"] = uploading.import_consent(client, name, consent, notice)
            lines.append(_consent_line(data["consent"]))
        if process:
            path = dataset_path(name, "versions", version["number"], "process")
            version = client.request("POST", path) or version
            lines.append(f"The pipeline runs. Watch it: commonhold status {name} --watch")
    return Outcome(data | {"version": version}, lines)


def _uploaded_line(done: uploading.Uploaded, name: str, number: int) -> str:
    there = f" {len(done.kept)} were there already." if done.kept else ""
    return f"Uploaded {len(done.files)} files to {name}, version {number}.{there}"


def _consent_line(made: dict[str, Any]) -> str:
    known = f" {made['known']} were recorded before." if made["known"] else ""
    return f"Consent of {made['speakers']} speakers in {made['records']} records.{known}"


def _newest_version(client: Client, name: str) -> dict[str, Any]:
    path = dataset_path(name, "versions")
    numbers = [version["number"] for version in client.dataset(name)["versions"]]
    if not numbers:
        return {"number": None, "state": "draft", "files": [], "runs": []}
    answer: dict[str, Any] = client.request("GET", f"{path}/{max(numbers)}", shapes.VERSION)
    return answer


def _status_lines(name: str, version: dict[str, Any]) -> list[str]:
    count = len(version["files"])
    lines = [f"{name}, version {version['number']}: {version['state']}, {count} files"]
    for run in version["runs"]:
        steps = Counter(step["state"] for step in run["steps"])
        counts = ", ".join(f"{count} {state}" for state, count in sorted(steps.items()))
        lines.append(f"  {run['path']}: {run['state']} ({counts})")
        stopped = [step for step in run["steps"] if step.get("error")]
        told = [f"    {step['name']}: {step['error']}" for step in stopped]
        lines += told or ([f"    {run['error']}"] if run.get("error") else [])
    lines += [
        f"  {file['path']}: {file['error']}" for file in version["files"] if file.get("error")
    ]
    if version.get("seal_error"):
        lines.append(f"  It could not be sealed: {version['seal_error']}")
    if version.get("left_out"):
        lines.append(f"  Left out: {', '.join(version['left_out'])}")
    review = version.get("review")
    if review:
        lines.append(
            f"  To review: {review['open_findings']} findings, "
            f"{review['unreviewed_segments']} segments; "
            f"{review['uncovered_segments']} segments without consent; "
            f"{review.get('unsettled_segments', 0)} stretches without text or without a place."
        )
    return lines


@click.command()
@click.argument("dataset")
@click.option("--watch", is_flag=True, help="Wait until the pipeline has finished.")
@reporting
def status(dataset: str, *, watch: bool) -> Outcome:
    """Show where the newest version of a dataset stands."""
    with Client() as client:
        name = client.full_name(dataset)
        version = _newest_version(client, name)
        shown: list[str] = []
        while watch and version["state"] in UNSETTLED:
            lines = _status_lines(name, version)
            for line in lines if lines != shown else ():
                say(line, err=True)
            shown = lines
            time.sleep(POLL_S)
            version = _newest_version(client, name)
    failed = any(run["state"] == "failed" for run in version["runs"]) or version.get("seal_error")
    data = {"dataset": name, **version}
    return Outcome(data, _status_lines(name, version), REFUSED if failed else DONE)


@click.command()
@click.argument("dataset")
@click.option("--to", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--trust", type=FILE, help="The site's trusted_root.json, obtained another way.")
@reporting
def download(dataset: str, to: Path, trust: Path | None) -> Outcome:
    """Download DATASET[@VERSION] under your license and verify it. Run it again to resume.

    Nothing gets its name before all of it was checked. The site's keys are kept for its address
    as you typed it: believed when you first meet it, and held to from then on.
    """
    name, _, number = dataset.partition("@")
    if number and not number.isdigit():
        message = f"“{number}” is not a version. Write {name}@1, for example."
        raise click.UsageError(message)
    with Client() as client:
        grant = find_grant(client, name, int(number) if number else None)
        given = None if trust is None else read_root(trust)
        done = download_release(client, str(grant["id"]), to, show_progress, given)
    report = verify(to, trust=done.trust, remembered=against_memory(offline=True))
    lines = [f"{done.files} files, {done.bytes} bytes in {to} ({done.fetched} fetched)."]
    data: dict[str, Any] = {"files": done.files, "bytes": done.bytes, "fetched": done.fetched}
    data |= {"grant": grant["id"], "to": str(to), "verification": report.as_dict()}
    code = DONE if report.passed else REFUSED
    return Outcome(data, [*lines, *vector_lines(report)], code)
