"""From a file of data to a registered project."""

from pathlib import Path

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine

from engine.wire.base import Failure

LOOK = {
    "name": "cards",
    "task": "binary",
    "rows": 12_000,
    "columns": [
        {"name": "amount", "type": "number", "role": "feature", "nulls": 3, "distinct": 900, "why": "all are numbers"},
        {"name": "fraud", "type": "boolean", "role": "target", "nulls": 0, "distinct": 2, "why": "asked for"},
    ],
    "notes": ["12 rows have no target and will be left out."],
    "project_file": '[project]\nname = "cards"\n',
}


@pytest.fixture
def cards(here: Path, fake: FakeEngine) -> Path:
    (here / "cards.csv").write_text("amount,fraud\n1,0\n")
    fake.jobs[1] = made.job(1, kind="look", project=None, result=LOOK)
    return here


def test_init_writes_the_file_and_says_what_was_decided(mlops, fake: FakeEngine, cards: Path):
    ran = mlops("init", "cards.csv", "--target", "fraud")
    assert ran.code == 0
    assert (cards / "mlops.toml").read_text() == LOOK["project_file"]
    assert "12 rows have no target" in ran.out
    assert "all are numbers" in ran.out
    assert "→ mlops add . && mlops train cards" in ran.out
    asked = fake.asked("POST", "/looks")[0]
    assert asked["path"] == str(cards / "cards.csv")
    assert asked["relative_to"] == str(cards)


def test_init_does_not_write_over_a_file_unless_told_to(mlops, fake: FakeEngine, cards: Path):
    (cards / "mlops.toml").write_text("mine")
    ran = mlops("init", "cards.csv", "--target", "fraud")
    assert ran.code == 1
    assert "--force" in ran.err
    assert (cards / "mlops.toml").read_text() == "mine"
    assert fake.asked("POST", "/looks") == []
    assert mlops("init", "cards.csv", "--target", "fraud", "--force").code == 0
    assert (cards / "mlops.toml").read_text() == LOOK["project_file"]


def test_init_does_not_write_over_a_file_that_came_while_it_looked(mlops, fake: FakeEngine, cards: Path):
    def someone_writes(job):
        (cards / "mlops.toml").write_text("theirs")
        return job

    fake.on_job_asked = someone_writes
    ran = mlops("init", "cards.csv", "--target", "fraud")
    assert ran.code == 1
    assert (cards / "mlops.toml").read_text() == "theirs"
    assert {path.name for path in cards.iterdir()} == {"cards.csv", "mlops.toml"}


def test_a_failed_look_leaves_nothing_behind(mlops, fake: FakeEngine, cards: Path):
    told = Failure(code="bad_data", message="cards.csv has no column 'fruad'.", hint="Did you mean 'fraud'?")
    fake.jobs[1] = made.job(1, kind="look", status="failed", failure=told)
    ran = mlops("init", "cards.csv", "--target", "fruad")
    assert ran.code == 1
    assert "Did you mean 'fraud'?" in ran.err
    assert not (cards / "mlops.toml").exists()


def test_a_missing_file_is_told_before_an_engine_is_asked(mlops, fake: FakeEngine, here: Path):
    ran = mlops("init", "nothing.csv", "--target", "y")
    assert ran.code == 1
    assert "There is no file nothing.csv." in ran.err
    assert fake.calls == []


def test_init_as_json_holds_the_look_and_the_file(mlops, cards: Path):
    found = mlops("init", "cards.csv", "--target", "fraud", "--json").json
    assert found["look"]["name"] == "cards"
    assert found["file"] == str(cards / "mlops.toml")


def test_add_needs_a_project_file(mlops, here: Path):
    ran = mlops("add", ".")
    assert ran.code == 1
    assert "mlops init" in ran.err


def test_add_sends_the_absolute_folder_and_says_what_is_next(mlops, fake: FakeEngine, here: Path):
    (here / "mlops.toml").write_text('[project]\nname = "fraud"\n')
    ran = mlops("add", ".")
    assert ran.code == 0
    assert fake.asked("POST", "/projects") == [{"folder": str(here)}]
    assert "→ mlops train fraud" in ran.out


def test_what_is_said_of_the_columns_goes_with_the_question(mlops, fake: FakeEngine, cards: Path):
    said = ["--task", "binary", "--id", "", "--positive", "1", "--ignore", "a", "--ignore", "b", "--use", "c"]
    assert mlops("init", "cards.csv", "--target", "fraud", *said).code == 0
    asked = fake.asked("POST", "/looks")[0]
    assert (asked["task"], asked["id"], asked["time"], asked["positive"]) == ("binary", "", None, "1")
    assert (asked["ignore"], asked["use"]) == (["a", "b"], ["c"])
