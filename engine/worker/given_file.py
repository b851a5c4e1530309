"""A file that somebody uploaded, as the readers of data take it."""

from __future__ import annotations

import os
from pathlib import Path

from engine.worker.session import Session

_LONGEST = 200
"""Bytes of a name."""


def lay_out_given(session: Session, sha256: str, name: str, *, otherwise: str) -> Path:
    """The stored file under the name it was given by, which tells its format and stands in messages.

    A name that no file should have is replaced by `otherwise`.
    """
    name = Path(name).name
    plain = len(os.fsencode(name)) < _LONGEST and name.isprintable() and name not in ("", ".", "..")
    path = session.folder / "given" / (name if plain else otherwise)
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(session.blob(sha256))
    return path
