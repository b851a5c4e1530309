"""The identity of this program: which code answers."""

from __future__ import annotations

import hashlib
from pathlib import Path


def program_sha256() -> str:
    """Hash of `engine/serving/**/*.py`: each file's path below the folder, its length, its bytes, in order of path."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
