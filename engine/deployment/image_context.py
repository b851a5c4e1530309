"""What goes into an image: Dockerfiles without `RUN`, and contexts that are the same bytes for the same content. Pure.

Two images, one on the other, so that versions share all layers but their last:

    mlops-HOME:runtime-KEY          base, packages, (more packages), program
    mlops-HOME:NAME-VERSION-KEY     the same, and the bundle
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from engine.deployment.container_body import REPLICA_FOLDER, USER

PACKAGES = "/mlops/packages"
PROGRAM = "/mlops/program"
LIBRARIES = "/mlops/lib"
BUNDLE = "/bundle"
"""Beside the replica's folder, where its `serve.json` looks for it."""

ENVIRONMENT = {
    "PYTHONPATH": f"{PROGRAM}:{PACKAGES}",
    "PYTHONUNBUFFERED": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "HOME": "/tmp",  # noqa: S108
    "LD_LIBRARY_PATH": LIBRARIES,
    "MLOPS_LIGHTGBM_SO": f"{PACKAGES}/lightgbm/lib/lib_lightgbm.so",
}


def runtime_dockerfile(base: str, layers: Mapping[str, str]) -> str:
    """From a base image to what serves any bundle of a kind. `layers`: folder of the context → place in the image.

    `base` is a checked image reference; nothing else in the text comes from outside.
    """
    variables = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
    copies = "".join(f"COPY {folder} {place}\n" for folder, place in layers.items())
    return (
        f"FROM {base}\nENV {variables}\n{copies}USER {USER}\nWORKDIR {REPLICA_FOLDER}\n"
        f'ENTRYPOINT ["python3", "-P", "-B", "-m", "engine.serving"]\nCMD ["{REPLICA_FOLDER}"]\n'
    )


def version_dockerfile(runtime: str) -> str:
    """From `runtime_dockerfile`'s image to one version."""
    return f"FROM {runtime}\nCOPY bundle {BUNDLE}\n"


def write_context(out: IO[bytes], dockerfile: str, folders: Mapping[str, Path]) -> None:
    """A tar of a Dockerfile and folders, in order of path, owned by root, readable by all, without times.

    Only plain files go in: a link in a folder is passed over, so nothing from elsewhere comes along.
    """
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, "Dockerfile", dockerfile.encode())
        for name, folder in sorted(folders.items()):
            tar.addfile(_entry(name, tarfile.DIRTYPE))
            for path in _walk(folder):
                within = f"{name}/{path.relative_to(folder).as_posix()}"
                if path.is_dir():
                    tar.addfile(_entry(within, tarfile.DIRTYPE))
                else:
                    _add(tar, within, path.read_bytes())


def key_of(*parts: str) -> str:
    """Twelve characters for content told by hashes."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def runtime_tag(mark: str, key: str) -> str:
    """Name of a runtime image."""
    return f"mlops-{mark}:runtime-{key}"


def version_tag(mark: str, name: str, version: int, key: str) -> str:
    """Name of a version's image. A model's name lies in the tag, where it may end with a dash."""
    return f"mlops-{mark}:{name}-{version}-{key}"


def own_tags(image: Mapping[str, Any], mark: str) -> list[str]:
    """The names that this home gave an image, as `GET /images/json` lists it."""
    return [tag for tag in image.get("RepoTags") or [] if tag.startswith(f"mlops-{mark}:")]


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*"), key=lambda each: each.relative_to(folder).as_posix()):
        if not path.is_symlink() and (path.is_dir() or path.is_file()):
            yield path


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = _entry(name, tarfile.REGTYPE)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _entry(name: str, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mtime = kind, 0
    entry.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    entry.uid = entry.gid = 0
    return entry
