"""What goes into images, without Docker."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.deployment.image_context import runtime_dockerfile, version_dockerfile, version_tag, write_context
from engine.deployment.image_packages import Packages
from engine.settings import Docker


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "more").mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "more" / "part").write_text("x")
    return folder


def context(folder: Path) -> bytes:
    out = io.BytesIO()
    write_context(out, version_dockerfile("base"), {"bundle": folder})
    return out.getvalue()


def test_the_same_content_is_the_same_context_whenever_it_was_written(bundle: Path) -> None:
    before = context(bundle)
    (bundle / "manifest.json").unlink()
    (bundle / "manifest.json").write_text("{}")
    (bundle / "manifest.json").chmod(0o600)
    assert context(bundle) == before


def test_what_is_in_an_image_is_root_s_and_everybody_may_read_it(bundle: Path) -> None:
    (bundle / "manifest.json").chmod(0o600)
    with tarfile.open(fileobj=io.BytesIO(context(bundle))) as tar:
        entries = {entry.name: (entry.uid, entry.gid, entry.mode) for entry in tar}
    assert entries["bundle/manifest.json"] == (0, 0, 0o644)
    assert entries["bundle/more"] == (0, 0, 0o755)
    assert list(entries) == ["Dockerfile", "bundle", "bundle/manifest.json", "bundle/more", "bundle/more/part"]


def test_a_link_brings_nothing_from_elsewhere_into_an_image(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    (bundle / "link").symlink_to(tmp_path / "secret")
    assert b"s3cret" not in context(bundle)


def test_an_image_is_made_without_run_and_ends_as_nobody() -> None:
    text = runtime_dockerfile("mlops-base:bookworm", {"plain": "/mlops/packages"})
    words = [line.split()[0] for line in text.splitlines()]
    assert words == ["FROM", "ENV", "COPY", "USER", "WORKDIR", "ENTRYPOINT", "CMD"]
    assert "USER 65532:65532" in text


def test_every_name_of_a_model_makes_a_name_of_an_image() -> None:
    from docker.utils import match_tag

    for name in ("a", "a-", "a--b-", "a" * 40):
        assert match_tag(version_tag("0123456789ab", name, 10**9, "0123456789ab"))


@pytest.mark.parametrize("name", ["x\nRUN rm", "x y", "", "-x", "x AS y", "$(x)", "x@sha256:zz", "X:y"])
def test_a_base_image_s_name_can_say_nothing_else(name: str) -> None:
    with pytest.raises(ValidationError):
        Docker(base_image=name)


@pytest.mark.parametrize(
    "name",
    [
        "python:3.11-slim",
        "mlops-base:bookworm",
        "registry.example:5000/team/python:3.11",
        "ghcr.io/a/b@sha256:" + "a" * 64,
    ],
)
def test_the_usual_names_of_base_images_are_taken(name: str) -> None:
    assert Docker(base_image=name).base_image == name


def test_the_staged_packages_serve_on_their_own(tmp_path: Path) -> None:
    packages = Packages(tmp_path)
    plain, program = packages.plain(), packages.program()
    files = "[getattr(module, '__file__', None) or '' for module in list(sys.modules.values())]"
    text = f"import sys, engine.serving.server; print('\\n'.join({files}))"
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", text],
        env={"PYTHONPATH": f"{program.folder}:{plain.folder}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "site-packages" not in done.stdout
    assert str(plain.folder) in done.stdout
    assert (plain.folder / "lightgbm" / "lib" / "lib_lightgbm.so").stat().st_size > 1_000_000
    assert sorted(path.name for path in (program.folder / "engine").iterdir()) == [
        "__init__.py",
        "__pycache__",
        "serving",
    ]


def test_what_was_staged_for_other_packages_goes(tmp_path: Path) -> None:
    for name in ("program-of-before", "program-of-before.part", "plain-of-before"):
        (tmp_path / name).mkdir()
    staged = Packages(tmp_path).program()
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "plain-of-before", staged.folder])


def test_what_was_staged_once_is_not_staged_again(tmp_path: Path) -> None:
    packages = Packages(tmp_path)
    first = packages.program()
    written_at = first.folder.stat().st_mtime_ns
    assert packages.program() == first
    assert first.folder.stat().st_mtime_ns == written_at
    assert list(tmp_path.glob("*.part")) == []
