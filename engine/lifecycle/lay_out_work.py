"""The folder of one attempt of one job, ready before its worker starts."""

from __future__ import annotations

import errno
import shutil

from engine.blobs.store import Item
from engine.errors import DiskFull, Unavailable
from engine.lifecycle.parts import Parts
from engine.registry.queries.work import read_work_state

CODE_FOLDER = "code"
TEMPORARY_FOLDER = "tmp"
"""The worker's TMPDIR: cleared away with the rest."""


def lay_out_work(parts: Parts, job_id: int, attempt: int) -> None:
    """Make the work folder, with the stored code tree in `code/`.

    Raises:
        DamagedBlob, NotFound: a stored file of the code is not what it was.
        DiskFull, Unavailable: it cannot be written.
    """
    state = read_work_state(parts.reader, job_id)
    folder = parts.home.work(job_id, attempt)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / TEMPORARY_FOLDER).mkdir(mode=0o700, parents=True)
        folder.chmod(0o700)
    except OSError as error:
        kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else Unavailable
        raise kind(f"The folder of job {job_id} cannot be made: {error.strerror}.", "Look at the disk.") from error
    items = [Item(file["path"], file["sha256"], bool(file.get("executable"))) for file in state.files]
    if items:
        parts.blobs.materialise(items, folder / CODE_FOLDER)
