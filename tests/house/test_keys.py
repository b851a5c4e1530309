"""docs/keys.md tells the keys there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_keys_is_made_from_the_table_of_commands() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "keys.py"), "--check"], capture_output=True, text=True, cwd=ROOT,
        check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
