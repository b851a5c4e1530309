"""`make demo`: two sample projects from data to answered predictions, and a swap of versions under traffic.

It does what a user would do, by the command line and by HTTP, in a home folder of its own, and leaves everything
running. Exit code 0 only if all of it happened.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from steady_traffic import SteadyTraffic, Tally

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "sample_projects"
MLOPS = ROOT / ".venv" / "bin" / "mlops"
SWAP_ANSWERS = 200
"""Answers the new version must have given before the swap counts as seen."""


_OVERWRITE = "\r\x1b[K"


class DemoFailed(Exception):
    """A stage did not happen; says which and why."""


class Told:
    """What is printed: a line a stage, with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began

    def doing(self, text: str) -> None:
        """What it waits for, on a terminal only; the next line takes its place."""
        if sys.stdout.isatty():
            print(f"{_OVERWRITE}{self.seconds:6.1f} s  {text} …", end="", flush=True)

    def stage(self, project: str, verb: str, text: str) -> None:
        """One stage that has happened."""
        start = _OVERWRITE if sys.stdout.isatty() else ""
        print(f"{start}{self.seconds:6.1f} s  {project:<8} {verb:<9} {text}", flush=True)


class Mlops:
    """The command line, with the demo's own home folder."""

    def __init__(self, home: Path) -> None:
        self.environment = os.environ | {"MLOPS_HOME": str(home), "NO_COLOR": "1"}

    def __call__(self, *words: str, may_exit: Sequence[int] = (0,)) -> Any:
        """Run `mlops WORDS --json`; what it answered (of several JSON lines, a list)."""
        done = subprocess.run(
            [str(MLOPS), *words, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode not in may_exit:
            said = done.stderr.strip() or done.stdout.strip()
            raise DemoFailed(f"`mlops {' '.join(words)}` ended with exit code {done.returncode}:\n{said}")
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def fresh_folder(folder: Path) -> None:
    """Make `folder` empty; an engine that an earlier demo left in it is ended first."""
    home = folder / "home"
    if (home / "registry.db").exists():
        Mlops(home)("down", "--all")
    if folder.exists():
        if not (folder / "made-by-demo").exists() and any(folder.iterdir()):
            raise DemoFailed(f"{folder} holds something that no demo has made. Name another: make demo DEMO=--folder=…")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / "made-by-demo").touch()


def copy_sample(name: str, folder: Path) -> Path:
    """The sample project as committed, without data that somebody has generated in it."""
    generated = shutil.ignore_patterns("__pycache__", "*.parquet")
    return Path(shutil.copytree(SAMPLES / name, folder / name, ignore=generated))


def simulate(project: Path, first: str, last: str) -> str:
    """Write transactions into the project's data folder; what the simulator said."""
    done = subprocess.run(
        [sys.executable, "simulate.py", "--from", first, "--to", last],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoFailed(f"The simulator failed:\n{done.stderr}")
    return done.stdout.strip()


def train(mlops: Mlops, told: Told, name: str) -> dict[str, Any]:
    """Train a project; the version that came of it, with the verdict `pass`."""
    told.doing(f"training {name}")
    version = mlops("train", name, may_exit=(0, 3, 4))["version"]
    if version is None:
        raise DemoFailed(f"Training {name} gave no version; see `mlops jobs`.")
    verdict, evidence = version["verdict"], version["verdict"]["evidence"]
    told.stage(
        name,
        "train",
        f"version {version['number']} ({version['lineage']['candidate']}), {figure(version)} "
        f"on {evidence['test_rows']:,} test rows: {verdict['outcome']}",
    )
    if verdict["outcome"] != "pass":
        raise DemoFailed(f"The gate said {verdict['outcome']}: {' '.join(verdict['reasons'])}")
    return dict(version)


def figure(version: dict[str, Any]) -> str:
    """The version's metric with its interval, as the gate saw it."""
    evidence = version["verdict"]["evidence"]
    return f"{version['metric']} {evidence['value']:.3f} ({evidence['lower']:.3f} to {evidence['upper']:.3f})"


def deploy(mlops: Mlops, told: Told, version: dict[str, Any], verb: str) -> str:
    """Release a version; the URL where its endpoint takes rows."""
    name, number = version["model"], version["number"]
    told.doing(f"starting a model server for {name}@{number}")
    live = mlops(verb, f"{name}@{number}")
    if live["status"] != "live":
        raise DemoFailed(f"{name}@{number} is {live['status']}, not live: {live['note']}")
    endpoint = next(one for one in mlops("endpoints")["endpoints"] if one["name"] == name)
    told.stage(name, verb, f"version {number} is live at {endpoint['url']}")
    return str(endpoint["url"])


def predict(mlops: Mlops, told: Told, name: str, rows: Path) -> None:
    """Ask the endpoint for the sample's example rows by the command line."""
    answers = mlops("predict", name, str(rows))
    answers = answers if isinstance(answers, list) else [answers]
    wanted = len(json.loads(rows.read_text(encoding="utf-8")))
    if len(answers) != wanted:
        raise DemoFailed(f"{name} answered {len(answers)} of {wanted} rows.")
    labels = ", ".join(f"{one['label']} ({one['probability']:.3f})".lower() for one in answers)
    told.stage(name, "predict", f"{wanted} rows: {labels}")


def ask_v2(told: Told, url: str, name: str, rows: Path, version: dict[str, Any]) -> None:
    """Ask by the Open Inference Protocol v2, a tensor a column, as any client of another maker would."""
    base = url.split("/predict/")[0]
    columns = json.loads(rows.read_text(encoding="utf-8"))
    inputs = [
        {
            "name": one["name"],
            "shape": [len(columns)],
            "datatype": "BYTES" if one["type"] == "category" else "FP64",
            "data": [row[one["name"]] for row in columns],
        }
        for one in version["inputs"]
    ]
    request = urllib.request.Request(  # noqa: S310  the gateway's own address
        f"{base}/v2/models/{name}/infer",
        json.dumps({"inputs": inputs}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            outputs = {one["name"]: one["data"] for one in json.load(answer)["outputs"]}
    except (OSError, ValueError) as error:
        body = error.read().decode(errors="replace") if isinstance(error, urllib.error.HTTPError) else ""
        raise DemoFailed(f"{request.full_url} did not answer: {error} {body}") from error
    if len(outputs["label"]) != len(columns):
        raise DemoFailed(f"{request.full_url} answered {len(outputs['label'])} of {len(columns)} rows.")
    told.stage(name, "v2", f"the same rows by Open Inference Protocol v2: {', '.join(map(str, outputs['label']))}")


def swap_under_traffic(mlops: Mlops, told: Told, fraud: Path, url: str) -> tuple[dict[str, Any], Tally]:
    """A month passes: train on the newer data and promote, while clients ask on."""
    rows = json.loads((fraud / "rows.json").read_text(encoding="utf-8"))
    with SteadyTraffic(url, rows) as traffic:
        told.stage("fraud", "data", "a month more: " + simulate(fraud, "2026-05-01", "2026-05-31"))
        version = train(mlops, told, "fraud")
        deploy(mlops, told, version, "promote")
        seen = traffic.wait_for(version["number"], SWAP_ANSWERS, timeout_s=20)
    tally = traffic.tally
    told.stage(
        "fraud",
        "swap",
        f"{tally.answered:,} requests answered meanwhile by version "
        + " and ".join(f"{number} ({count:,})" for number, count in sorted(tally.by_version.items()))
        + f", {len(tally.failures)} failed, p95 {tally.percentile_ms(0.95):.1f} ms",
    )
    if tally.failures:
        raise DemoFailed(f"{len(tally.failures)} requests failed during the swap, the first: {tally.failures[0]}")
    if not seen:
        raise DemoFailed(f"Version {version['number']} gave fewer than {SWAP_ANSWERS} answers in 20 s after the swap.")
    return version, tally


def run(folder: Path) -> None:
    """All stages, in order."""
    told = Told()
    fresh_folder(folder)
    mlops = Mlops(folder / "home")
    tumour, fraud = copy_sample("tumour", folder), copy_sample("fraud", folder)

    status = mlops("up")
    told.stage("", "up", f"engine {status['about']['version']}, process {status['about']['pid']}")

    mlops("add", str(tumour))
    told.stage("tumour", "add", "569 real tumours, 30 measurements each; an estimator of its own")
    first = train(mlops, told, "tumour")
    mlops("approve", f"tumour@{first['number']}")
    told.stage("tumour", "approve", f"version {first['number']}, recorded with its evidence")
    tumour_url = deploy(mlops, told, first, "deploy")
    predict(mlops, told, "tumour", tumour / "rows.json")
    ask_v2(told, tumour_url, "tumour", tumour / "rows.json", first)

    said = simulate(fraud, "2026-01-01", "2026-04-30")
    mlops("add", str(fraud))
    told.stage("fraud", "add", said)
    second = train(mlops, told, "fraud")
    url = deploy(mlops, told, second, "deploy")
    predict(mlops, told, "fraud", fraud / "rows.json")
    third, tally = swap_under_traffic(mlops, told, fraud, url)

    verified = mlops("verify")
    told.stage("", "verify", f"{verified['events']} events and {verified['blobs']} files hash as recorded")
    summary(told, folder, [first, second, third], tally)


def summary(told: Told, folder: Path, versions: Sequence[dict[str, Any]], tally: Tally) -> None:
    """The figures, what runs now and how to end it."""
    print(f"\nDone in {told.seconds:.0f} s.\n")
    for version in versions:
        evidence = version["verdict"]["evidence"]
        print(
            f"  {version['model']}@{version['number']:<2} {version['verdict']['outcome']:<5} {figure(version)}, "
            f"{evidence['test_rows']:,} test rows"
        )
    rate = f"p50 {tally.percentile_ms(0.5):.1f} ms, p95 {tally.percentile_ms(0.95):.1f} ms"
    print(f"  swap under traffic: {tally.answered:,} answered, {len(tally.failures)} failed, {rate}\n")
    mlops = f"MLOPS_HOME={folder / 'home'} {relative(MLOPS)}"
    print("Left running: the engine, the gateway and a model server for each endpoint. Look, and end it:\n")
    print(f"  {mlops}\n  {mlops} endpoints\n  {mlops} down --all\n")
    print(f"Everything lies in {folder}; the next `make demo` begins by ending and removing it.")


def relative(path: Path) -> Path:
    """The path as typed from the repository's folder, where that is where we are."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def fail(error: DemoFailed, folder: Path) -> NoReturn:
    """Say what did not happen and how to look at it."""
    mlops = f"MLOPS_HOME={folder / 'home'} {relative(MLOPS)}"
    print(f"\n✗ {error}\n\nIt was left as it is. Look: {mlops} jobs\n   End it: {mlops} down --all", file=sys.stderr)
    raise SystemExit(1)


def main() -> None:
    """Read the command line and run."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, default=caches / "mlops-demo", help="home folder and projects go here")
    folder = parser.parse_args().folder.expanduser().absolute()
    try:
        run(folder)
    except DemoFailed as error:
        fail(error, folder)
    except KeyboardInterrupt:
        fail(DemoFailed("Interrupted."), folder)


if __name__ == "__main__":
    main()
