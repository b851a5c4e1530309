import doctest
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import cron
from engine.cron import plain_cron
from engine.errors import InvalidConfig
from engine.jobs.clock import next_time
from engine.project import parse_project

SMALL = '[project]\nname = "p"\ntask = "binary"\n[data]\nsource = "d.csv"\ntarget = "y"\n[retrain]\n'


def test_the_examples_hold() -> None:
    assert doctest.testmod(cron).failed == 0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 3 * *", "has 4 fields, and a cron line has five"),
        ("0 25 * * *", "hour 25 is not within 0 to 23"),
        ("0 3 * * monn", "'monn' is no weekday; did you mean mon?"),
        ("0 3 * febr *", "'febr' is no month; did you mean feb?"),
        ("0 3 ? * 1", "'?' is nothing that a day of the month may be"),
        ("*/0 3 * * *", "'*/0' is nothing that a minute may be"),
        ("0 22-3 * * *", "hour 22-3 runs backwards"),
        ("0 3 1 * 1", "names both a day of the month and a weekday"),
        ("0 3 30 2 *", "day 30 never comes"),
        ("0 3 * * 8", "weekday 8 is not within 0 to 7"),
    ],
)
def test_a_wrong_line_is_refused_when_the_project_is_read_by_its_nearest_mistake(line: str, told: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        parse_project(f'{SMALL}on = ["schedule"]\nschedule = "{line}"\n')
    assert caught.value.message.startswith("mlops.toml: `retrain.schedule`: ")
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("line", "day"),
    [("0 3 * * 1", "Mon"), ("0 3 * * 0", "Sun"), ("0 3 * * 7", "Sun"), ("0 3 * * sat", "Sat"), ("0 3 * * 5-7", "Fri")],
)
def test_the_clock_counts_weekdays_as_cron_does(line: str, day: str) -> None:
    assert f"{next_time(line, datetime(2026, 1, 4, 12, tzinfo=UTC)):%a}" == day


_FIELD = st.sampled_from(["*", "*/7", "1", "2-4", "1,5", "3-5/2"])


@given(st.tuples(_FIELD, _FIELD, _FIELD, _FIELD, _FIELD))
def test_every_line_that_is_taken_has_a_next_time(fields: tuple[str, ...]) -> None:
    line = " ".join(fields)
    if fields[2] != "*" and fields[4] != "*":
        with pytest.raises(ValueError, match="both"):
            plain_cron(line)
        return
    assert plain_cron(plain_cron(line)) == plain_cron(line)
    assert next_time(line, datetime(2026, 1, 1, tzinfo=UTC)) > datetime(2026, 1, 1, tzinfo=UTC)
