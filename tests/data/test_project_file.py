from __future__ import annotations

import csv
import io
import tempfile
import tomllib
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from engine.data.look import look
from engine.data.project_file import toml_key, toml_string, write_project_file
from engine.data.snapshot import take_snapshot
from engine.errors import EngineError
from engine.project import parse_project

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), min_size=1, max_size=12)
WORDS = st.sampled_from(
    ["", "NA", "-", "1", "2.5", "-7", "1e3", "007", "yes", "true", "False", "abc", "ü, ß", '"q"', "2024-01-31",
     "2024-01-31T10:00:00Z", "inf", "1,5", "99999999999999999999", "a b", "x\ny"]
)  # fmt: skip


@given(TEXT)
def test_any_text_is_a_toml_string_and_key(text: str) -> None:
    assert tomllib.loads(f"{toml_key(text)} = {toml_string(text)}") == {text: text}


@settings(max_examples=40)
@given(
    names=st.lists(TEXT.map(str.strip), min_size=1, max_size=5, unique=True),
    cells=st.lists(st.lists(WORDS | TEXT, min_size=2, max_size=6), min_size=5, max_size=5),
    target=st.sampled_from([["0", "1"], ["a", "b", "c"], [str(i * 0.5) for i in range(40)], ["yes", "", "no"]]),
    delimiter=st.sampled_from([",", ";", "\t"]),
)
def test_whatever_the_data_the_written_file_is_a_project_that_reads_it(
    names: list[str], cells: list[list[str]], target: list[str], delimiter: str
) -> None:
    columns = [*names, "the target"]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(columns)
    for i in range(60):
        values = [cells[place][(i * (place + 1)) % len(cells[place])] for place in range(len(names))]
        writer.writerow([*values, target[i % len(target)]])
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "data.csv").write_text(out.getvalue(), newline="")
        try:
            found = look(str(folder / "data.csv"), "the target", relative_to=folder)
        except EngineError as error:
            assert error.message
            assert error.hint
            event(error.message[:60])
            return
        event("read")
        project = parse_project(write_project_file(found))
        figures = take_snapshot(project, folder, folder)
        assert figures.frame.height + figures.left_out == 60
        features = {column.name for column in found.having("feature")}
        assert features == set(figures.schema.names) - {
            "the target",
            project.data.id,
            project.data.time,
            *project.data.ignore,
        }
