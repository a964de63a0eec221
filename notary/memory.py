"""The log's signer remembers the largest checkpoint that it ever signed, outside the database.

A database that was restored from yesterday has a smaller tree, or another one. If the log went on
from there, it would sign two histories, and everybody who saw the first would find it rewritten.
So the signer keeps the checkpoint beside its key, before anybody sees it, and signs nothing that
does not contain it.
"""

import os
from collections.abc import Callable
from pathlib import Path

from commonhold import merkle, notes
from commonhold.errors import CommonholdError

from notary import keys
from notary.models import Checkpoint

FILE = "log-largest-checkpoint"


class LogRolledBack(CommonholdError):
    """The database does not hold what the log has signed."""

    code = "log-rolled-back"
    status = 503


def path() -> Path:
    """Return where the checkpoint is kept: a signed note, as it was published."""
    return keys.folder() / FILE


def keep(note: str) -> None:
    """Remember a signed checkpoint: whole or not at all, and on the disk before this returns."""
    draft = path().with_name(f".{FILE}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path())
    descriptor = os.open(path().parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_held(size: Callable[[], int], node: merkle.NodeReader) -> None:
    """Raise LogRolledBack unless the tree contains what was ever signed.

    `size` counts its leaves: asked only once the memory is read, for the tree may grow meanwhile.
    Raises KeyMissing if what was signed is not remembered, though something was.
    """
    newest = Checkpoint.objects.order_by("-size", "-pk").values_list("note", flat=True).first()
    try:
        note = path().read_text()
    except FileNotFoundError:
        if newest is None:
            return
        message = (
            f"{FILE} is not in KEY_DIR, so the log's signer can't tell whether this database is "
            "the newest. Restore KEY_DIR from the backup that belongs to this database; or, if "
            "you know that this database is the newest, save its /log/checkpoint under that name."
        )
        raise keys.KeyMissing(message) from None
    if note != newest:
        require_continuation(signed(note), size(), node)


def signed(note: str) -> notes.Checkpoint:
    """Return what a note of ours commits to; LogRolledBack if no key of this database signed it."""
    try:
        return notes.open_checkpoint(note, notes.signer_of(note, keys.log_verifiers()))
    except CommonholdError as error:
        message = f"{FILE} in KEY_DIR is not signed by any key of the log in this database."
        raise refusal(message) from error


def require_continuation(before: notes.Checkpoint, size: int, node: merkle.NodeReader) -> None:
    """Raise LogRolledBack unless the tree of `size` leaves contains an earlier one."""
    if size < before.size:
        message = f"The log has signed {before.size} entries, but this database holds {size}."
        raise refusal(message)
    if merkle.tree_root(before.size, node) != before.root:
        message = f"The first {before.size} entries here are not those that the log has signed."
        raise refusal(message)


def refusal(what: str) -> LogRolledBack:
    """Return the refusal, with what to do."""
    return LogRolledBack(
        f"{what} It was probably restored from an older backup than KEY_DIR. Nothing was signed: "
        "a log that goes on from there would contradict what others have seen. Restore the newest "
        "database, or the database and KEY_DIR from one and the same backup "
        "(docs/guides/operator.md)."
    )
