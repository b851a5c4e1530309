"""`make demo`: two sample projects from data to answered predictions, and the whole loop, weeks in a minute.

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
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from demo_loop import EVERY, ClosedLoop, close_the_loop
from demo_shell import MLOPS, DemoFailed, Mlops, Told

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "sample_projects"


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
    runtime = live["replicas"][0]["runtime"]
    told.stage(name, verb, f"version {number} is live at {endpoint['url']} ({runtime})")
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

    hurry(fraud / "mlops.toml")
    said = simulate(fraud, "2026-01-01", "2026-04-30")
    mlops("add", str(fraud))
    told.stage("fraud", "add", said)
    second = train(mlops, told, "fraud")
    url = deploy(mlops, told, second, "deploy")
    predict(mlops, told, "fraud", fraud / "rows.json")
    closed = close_the_loop(mlops, told, fraud, url)

    verified = mlops("verify")
    told.stage("", "verify", f"{verified['events']} events and {verified['blobs']} files hash as recorded")
    summary(told, folder, mlops, [first, second, closed.version], closed)


def hurry(project_file: Path) -> None:
    """Weeks pass in seconds here: look as often, and let a version that passed be released by itself."""
    text = project_file.read_text(encoding="utf-8")
    for was, becomes in (('every = "15m"', f'every = "{EVERY}"'), ('approval = "manual"', 'approval = "auto"')):
        if was not in text:
            raise DemoFailed(f"{project_file.name} of the sample no longer says {was}.")
        text = text.replace(was, becomes)
    project_file.write_text(text, encoding="utf-8")


def summary(told: Told, folder: Path, mlops: Mlops, versions: Sequence[dict[str, Any]], closed: ClosedLoop) -> None:
    """The figures, what runs now and how to end it."""
    print(f"\nDone in {told.seconds:.0f} s, with {closed.runtime}.\n")
    for version in versions:
        evidence = version["verdict"]["evidence"]
        print(
            f"  {version['model']}@{version['number']:<2} {version['verdict']['outcome']:<5} {figure(version)}, "
            f"{evidence['test_rows']:,} test rows"
        )
    tally = closed.tally
    rate = f"p50 {tally.percentile_ms(0.5):.1f} ms, p95 {tally.percentile_ms(0.95):.1f} ms"
    print(f"  takeover under traffic: {tally.answered:,} answered, {len(tally.failures)} failed, {rate}")
    print(
        f"  {closed.weeks} weeks, {closed.payments:,} payments answered; the engine looked at every one, and raised "
        f"{closed.alarms_before} alarms before the change"
    )
    print(f"  realised {closed.metric}: {closed.realised}\n")
    command = f"MLOPS_HOME={folder / 'home'} {relative(MLOPS)}"
    print("Left running: the engine, the gateway and a model server for each endpoint. Look, and end it:\n")
    print(f"  {command}\n  {command} why fraud\n  {command} down --all\n")
    print(f"Everything lies in {folder}; the next `make demo` begins by ending and removing it.")


def offer_the_terminal(mlops: Mlops) -> None:
    """On a terminal: look at it all."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    try:
        answer = input("\nOpen the terminal on it now? [y/N] ")
    except EOFError:
        return
    if answer.strip().lower() in ("y", "yes"):
        subprocess.run([str(MLOPS)], env=mlops.environment, check=False)


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
        offer_the_terminal(Mlops(folder / "home"))
    except DemoFailed as error:
        fail(error, folder)
    except KeyboardInterrupt:
        fail(DemoFailed("Interrupted."), folder)


if __name__ == "__main__":
    main()
