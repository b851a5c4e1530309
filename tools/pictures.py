"""`make pictures`: docs/pictures/*.svg again, of the real terminal on a real engine in a home folder of its own.

Everything is ended and removed in the end. Figures and times in the pictures are those of the run.
"""

from __future__ import annotations

import asyncio
import csv
import getpass
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo import ROOT, copy_sample, simulate
from demo_shell import DemoFailed, Mlops
from simulated_world import World
from steady_traffic import SteadyTraffic, send_all

from engine.settings import Home

if TYPE_CHECKING:
    from textual.pilot import Pilot

PICTURES = ROOT / "docs" / "pictures"
SIZE = (100, 24)
MOST_BYTES = 200_000
FEW_ROWS = 60
"""So few that the gate says `insufficient`, and somebody has to look."""
PATIENCE_S = 60.0
FIRST, DRIFT_ON = date(2026, 3, 1), date(2026, 3, 8)
CAUSE = "app-scam"
"""Fraudsters find another way; demo_loop.py tells the same story."""

_BLANK = "&#160;"
_RUN = re.compile(r'x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*)>([^<]*)</text>')
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FONTS = "Fira Code, ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"


def small_project(folder: Path) -> Path:
    """The tumour sample under another name, with its first rows only."""
    project = Path(shutil.move(copy_sample("tumour", folder / "small"), folder / "clinic"))
    settings = project / "mlops.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('name = "tumour"', 'name = "clinic"'))
    data = project / "data" / "tumours.csv"
    with data.open(encoding="utf-8", newline="") as lines:
        kept = [row for row, _ in zip(csv.reader(lines), range(FEW_ROWS + 1), strict=False)]
    with data.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(kept)
    return project


def prepare(mlops: Mlops, folder: Path) -> None:
    """Three projects: one that serves, one that waits for an approval, one with too few rows."""
    mlops("up")
    tumour, fraud = copy_sample("tumour", folder), copy_sample("fraud", folder)
    simulate(fraud, "2026-01-01", "2026-02-28")
    settings = fraud / "mlops.toml"
    text = settings.read_text(encoding="utf-8")
    # By hand only, so that each check looks at a whole week; and no image is built for one picture.
    text = text.replace('every = "15m"', 'every = "never"').replace("[release]", '[release]\nruntime = "process"')
    settings.write_text(text, encoding="utf-8")
    for project in (tumour, fraud, small_project(folder)):
        mlops("add", str(project))
    for name in ("clinic", "tumour", "fraud"):
        mlops("train", name, may_exit=(0, 3, 4))
    mlops("approve", "tumour@1")
    mlops("deploy", "tumour@1")


def let_drift(mlops: Mlops, fraud: Path) -> None:
    """A week as at training and one after a change go to the newest version of fraud, and are looked at."""
    newest = next(one["latest"] for one in mlops("models")["models"] if one["name"] == "fraud")
    mlops("approve", f"fraud@{newest}")
    mlops("deploy", f"fraud@{newest}")
    url = next(one["url"] for one in mlops("endpoints")["endpoints"] if one["name"] == "fraud")
    world = World(fraud, FIRST, 2, DRIFT_ON, CAUSE)
    for number in range(2):
        tally = send_all(url, world.week(number).rows)
        if tally.failures:
            raise DemoFailed(f"{len(tally.failures)} requests failed, the first: {tally.failures[0]}")
        mlops("check", "fraud", may_exit=(0, 1))


def as_drawn_anywhere(svg: str) -> str:
    """The picture without addresses of fonts, and with blanks as places: some viewers draw no blank at an edge."""

    def placed(run: re.Match[str]) -> str:
        x, y, length, rest, text = run.groups()
        cells = len(re.sub(r"&#?\w+;", " ", text))
        if not cells or not text.replace(_BLANK, ""):
            return run.group()
        cell = float(length) / cells
        kept = re.sub(rf"^(?:{_BLANK})+", "", text)
        left = (len(text) - len(kept)) // len(_BLANK)
        whole = re.sub(rf"(?:{_BLANK})+$", "", kept)
        right = (len(kept) - len(whole)) // len(_BLANK)
        new_x, new_length = float(x) + left * cell, (cells - left - right) * cell
        return f'x="{new_x:.1f}" y="{y}" textLength="{new_length:.1f}"{rest}>{whole}</text>'

    plain = _FONT_FACE.sub("", svg).replace("font-family: Fira Code, monospace", f"font-family: {_FONTS}")
    return "\n".join(line.rstrip() for line in _RUN.sub(placed, plain).splitlines()) + "\n"


def write(name: str, svg: str, folder: Path) -> None:
    """One picture, if nothing in it tells of this machine."""
    drawn = as_drawn_anywhere(svg)
    text = re.sub(r"<[^>]+>", "\n", drawn).replace(_BLANK, " ")
    for told in (str(folder), str(ROOT), str(Path.home()), "/tmp/"):  # noqa: S108  looked for, not used
        if told in text:
            raise DemoFailed(f"The picture {name} shows {told}.")
    if re.search(rf"\b{re.escape(getpass.getuser())}\b", text):
        raise DemoFailed(f"The picture {name} shows who made it.")
    if len(drawn.encode()) > MOST_BYTES:
        raise DemoFailed(f"The picture {name} has {len(drawn.encode()):,} bytes; {MOST_BYTES:,} are enough.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(drawn, encoding="utf-8")
    print(f"{(PICTURES / name).relative_to(ROOT)}.svg: {len(drawn.encode()):,} bytes")


async def until(pilot: Pilot[Any], seen: Callable[[str], bool], what: str) -> None:
    """Wait until the screen's text is as wanted."""
    for _ in range(int(PATIENCE_S / 0.1)):
        if seen("\n".join(pilot.app.screen.shown_lines())):  # type: ignore[attr-defined]
            await pilot.pause(0.3)
            return
        await pilot.pause(0.1)
    raise DemoFailed(f"The screen never showed {what}.")


async def draw(home: Path, mlops: Mlops, folder: Path) -> None:
    """Open the terminal and take the pictures."""
    from mlops_tui.app import MlopsApp

    app = MlopsApp(Home(home), slow=False)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda text: all(name in text for name in ("clinic", "fraud", "tumour")), "three projects")
        await until(pilot, lambda text: " ms" in text, "traffic")
        write("fleet", app.export_screenshot(title="mlops"), folder)
        await asyncio.to_thread(mlops, "train", "fraud", "--no-wait")
        await pilot.press("7")
        await until(pilot, lambda text: "running" in text and re.search(r"[1-9]%", text) is not None, "a running job")
        write("jobs", app.export_screenshot(title="mlops"), folder)
        await until(pilot, lambda text: "running" not in text and "queued" not in text, "the end of the job")
        await asyncio.to_thread(let_drift, mlops, folder / "fraud")
        await pilot.press("5")
        await until(pilot, lambda text: "! alarm" in text, "an alarm")
        await pilot.press("enter")
        await until(pilot, lambda text: "channel" in text, "the columns")
        write("monitoring", app.export_screenshot(title="mlops"), folder)
        await pilot.press("escape", "a")
        await until(pilot, lambda text: "Alarm 1" in text and "channel\t" in text, "the alarm")
        write("alarm", app.export_screenshot(title="mlops"), folder)


def main() -> None:
    """Make the pictures; 0 only if all are there."""
    os.environ["COLORTERM"] = "truecolor"
    for switch in ("NO_COLOR", "SSH_CONNECTION"):
        os.environ.pop(switch, None)
    # Short: the engine's sockets lie in it.
    folder = Path(tempfile.mkdtemp(prefix="mp"))
    mlops = Mlops(folder / "home")
    try:
        prepare(mlops, folder)
        url = next(one["url"] for one in mlops("endpoints")["endpoints"] if one["name"] == "tumour")
        rows = json.loads((folder / "tumour" / "rows.json").read_text(encoding="utf-8"))
        with SteadyTraffic(url, rows, clients=2, per_second=40.0):
            asyncio.run(draw(folder / "home", mlops, folder))
    except DemoFailed as error:
        sys.exit(f"✗ {error}")
    finally:
        mlops("down", "--all", may_exit=(0, 1, 5))
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
