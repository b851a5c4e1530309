from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from fakes.tables_of_data import mixed_frame
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadData
from engine.training.row_hash import hash_rows, hash_values, to_fraction
from engine.training.split import split_rows

START = datetime(1970, 1, 1, tzinfo=UTC)


def by_time(frame: pl.DataFrame, **more: object):
    return split_rows(frame, salt="s", time_column="at", **more)


def test_every_row_is_on_one_side() -> None:
    found = split_rows(mixed_frame(1000), salt="s", id_column="key")
    assert sorted([*found.train, *found.validation, *found.test]) == list(range(1000))
    assert [len(side) / 1000 for side in (found.train, found.validation, found.test)] == pytest.approx(
        [0.6, 0.2, 0.2], abs=0.05
    )


def test_a_row_never_changes_sides_when_rows_are_added_or_reordered() -> None:
    frame = mixed_frame(1000)
    before = set(frame["key"].gather(split_rows(frame[:600], salt="s", id_column="key").test))
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    after = set(shuffled["key"].gather(split_rows(shuffled, salt="s", id_column="key").test))
    assert {key for key in after if key < 600} == before


def test_an_id_keeps_its_side_when_it_turns_into_text() -> None:
    frame = mixed_frame(300)
    as_text = frame.with_columns(pl.col("key").cast(pl.String))
    sides = [split_rows(table, salt="s", id_column="key").test.tolist() for table in (frame, as_text)]
    assert sides[0] == sides[1]


def test_equal_rows_are_on_the_same_side() -> None:
    frame = mixed_frame(200).drop("key", "at")
    found = split_rows(pl.concat([frame, frame]), salt="s")
    test = set(found.test.tolist())
    assert test == {row + 200 for row in test if row < 200} | {row - 200 for row in test if row >= 200}
    assert found.by == "row"


def test_where_most_rows_are_copies_each_copy_goes_its_own_way_and_keeps_it() -> None:
    frame = pl.DataFrame({"class": ["first", "second"] * 500, "sex": ["f", "m", "m", "f"] * 250})
    found = split_rows(frame, salt="s")
    assert found.by == "copy"
    assert [len(side) / 1000 for side in (found.train, found.validation, found.test)] == pytest.approx(
        [0.6, 0.2, 0.2], abs=0.05
    )
    more = split_rows(pl.concat([frame, frame]), salt="s")
    assert more.test[more.test < 1000].tolist() == found.test.tolist()


def test_a_column_that_is_new_moves_no_row() -> None:
    frame = pl.DataFrame({"a": range(400), "b": [f"t{number}" for number in range(400)]})
    before = split_rows(frame, salt="s")
    wider = frame.with_columns(c=pl.lit(1.5))
    assert split_rows(wider, salt="s", columns=before.columns).test.tolist() == before.test.tolist()
    assert split_rows(frame.select("a"), salt="s", columns=before.columns).columns == ("a",)


def test_a_row_keeps_its_side_when_whole_numbers_meet_a_fraction() -> None:
    whole = pl.DataFrame({"a": range(400)})
    mixed = pl.concat([whole.cast(pl.Float64), pl.DataFrame({"a": [0.5]})])
    before, after = split_rows(whole, salt="s"), split_rows(mixed, salt="s")
    assert set(before.test.tolist()) == set(after.test.tolist()) - {400}


def test_the_order_of_columns_does_not_matter() -> None:
    frame = mixed_frame(100)
    assert (hash_rows(frame, "s") == hash_rows(frame.select(frame.columns[::-1]), "s")).all()


def test_another_salt_is_another_split() -> None:
    frame = mixed_frame(500)
    one, other = (split_rows(frame, salt=salt, id_column="key").test.tolist() for salt in "ab")
    assert one != other


def test_hashes_are_the_same_for_ever() -> None:
    """A release that changed them would move rows from the test side to the train side of projects that exist."""
    frame = pl.DataFrame({"n": [0.1, None], "i": [5, -5], "t": ["Käse", ""], "b": [True, None]})
    assert hash_values(pl.Series([1, 22]), "salt").tolist() == [5783910601270428541, 7355189978553353249]
    assert hash_rows(frame, "salt").tolist() == [5973837977405640120, 18124253544709615752]


@given(st.lists(st.one_of(st.none(), st.text(max_size=6)), min_size=1, max_size=30))
def test_equal_text_has_equal_hashes_and_other_text_others(values: list[str | None]) -> None:
    hashes = hash_values(pl.Series(values, dtype=pl.String), "s").tolist()
    assert len(set(hashes)) == len(set(values))
    alone = [hash_values(pl.Series([value], dtype=pl.String), "s")[0] for value in values]
    assert hashes == alone


def test_fractions_are_even() -> None:
    place = to_fraction(hash_values(pl.Series(np.arange(20_000)), "s"))
    assert np.histogram(place, 10, (0, 1))[0] == pytest.approx(np.full(10, 2000), abs=250)


def test_with_a_time_every_side_comes_after_the_one_before() -> None:
    frame = mixed_frame(1000).sample(fraction=1.0, shuffle=True, seed=1)
    found = by_time(frame)
    at = frame["at"]
    assert at[found.train].max() < at[found.validation].min()
    assert at[found.validation].max() < at[found.test].min()
    assert (len(found.train), len(found.validation), len(found.test)) == (600, 200, 200)
    assert found.trained_until == at[found.validation].max()


def test_rows_of_one_moment_stay_together() -> None:
    frame = mixed_frame(100).with_columns(pl.col("at").dt.truncate("1d"))
    found = by_time(frame)
    days = [set(frame["at"][side].to_list()) for side in (found.train, found.validation, found.test)]
    assert not days[0] & days[1]
    assert not days[1] & days[2]


def test_of_the_rows_after_a_champions_cut_off_the_later_half_judges() -> None:
    frame = mixed_frame(1000)
    until = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=950)
    found = by_time(frame, judge_after=until)
    assert frame["at"][found.test].to_list() == frame["at"].sort()[-24:].to_list()
    assert len(found.train) == pytest.approx(0.75 * 976, abs=1)


def test_at_most_a_fifth_of_the_rows_judges_however_many_came_after() -> None:
    found = by_time(mixed_frame(1000), judge_after=datetime(1970, 1, 1, 5, tzinfo=UTC))
    assert (len(found.train), len(found.validation), len(found.test)) == (600, 200, 200)


def test_a_champion_that_learnt_from_all_rows_leaves_no_test_rows() -> None:
    until = datetime(2030, 1, 1, tzinfo=UTC)
    assert len(by_time(mixed_frame(100), judge_after=until).test) == 0


@given(
    hours=st.lists(st.integers(0, 60), min_size=3, max_size=60),
    after=st.integers(-5, 65),
)
def test_every_test_row_is_later_than_what_was_learnt_and_than_the_cut_off(hours: list[int], after: int) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    frame = pl.DataFrame({"at": [epoch + timedelta(hours=hour) for hour in hours]}).cast(pl.Datetime("us", "UTC"))
    cut = epoch + timedelta(hours=after)
    found = by_time(frame, judge_after=cut)
    at, test = np.array(hours), found.test.tolist()
    assert sorted([*found.train, *found.validation, *test]) == list(range(len(hours)))
    later = int((at > after).sum())
    assert bool(test) == bool(later and (later < len(hours) or len(set(hours)) > 1))
    if test:
        assert at[test].min() > after
        assert at[test].min() > at[found.learnt].max()
        # More than half only where the rows of one moment cannot be parted.
        assert len(test) <= max(1, later // 2) or len(set(at[test])) == 1
    learnt = at[found.learnt]
    if len(set(learnt)) > 1:
        assert len(found.validation)
        assert at[found.train].max() < at[found.validation].min()


def test_cut_offs_of_before_give_the_split_of_before() -> None:
    frame = mixed_frame(1000)
    before = by_time(frame)
    again = by_time(
        frame,
        judge_after=datetime(1970, 2, 8, tzinfo=UTC),
        cut_offs=(before.train_until, before.trained_until),
    )
    assert again.to_dict() == before.to_dict()


def test_rows_without_a_time_are_refused() -> None:
    frame = mixed_frame(50).with_columns(pl.when(pl.col("key") != 3).then("at"))
    with pytest.raises(BadData, match="'at' has 1 null"):
        by_time(frame)


def test_a_handful_of_rows_is_refused_in_a_sentence_or_split() -> None:
    with pytest.raises(BadData, match="No row is left to learn from"):
        split_rows(mixed_frame(0), salt="s", id_column="key")


def test_after_a_change_validation_is_the_later_half_of_what_is_learnt_of_the_new_world() -> None:
    changed = START + timedelta(hours=2000)
    found = by_time(mixed_frame(2800), judge_after=changed, changed_from=changed)
    assert (found.changed_from, len(found.test)) == (changed, 399)
    assert found.train[-1] + 1 == found.validation[0] == 2200
    assert found.new.tolist() == list(range(2000, 2401))
    assert found.to_dict()["new"] == 401
    again = by_time(
        mixed_frame(2800), cut_offs=(found.train_until, found.trained_until), changed_from=found.changed_from
    )
    assert again.to_dict() == found.to_dict()


@pytest.mark.parametrize("rows", [2000, 2390])
def test_a_new_world_of_too_few_rows_leaves_the_split_as_it_was(rows: int) -> None:
    changed = START + timedelta(hours=2000)
    found = by_time(mixed_frame(rows), judge_after=changed, changed_from=changed)
    assert (found.changed_from, len(found.new)) == (None, 0)
    assert found.to_dict() == by_time(mixed_frame(rows), judge_after=changed).to_dict()


def test_a_new_world_with_too_few_of_a_class_leaves_the_split_as_it_was() -> None:
    changed = START + timedelta(hours=2000)
    frame = mixed_frame(2800)
    enough, too_few = (pl.Series((np.arange(2800) % every == 0).tolist()) for every in (8, 9))
    assert by_time(frame, judge_after=changed, changed_from=changed, classes=enough).changed_from == changed
    assert by_time(frame, judge_after=changed, changed_from=changed, classes=too_few).changed_from is None


def test_where_all_that_is_learnt_is_of_the_new_world_nothing_is_split_otherwise() -> None:
    found = by_time(mixed_frame(1000), changed_from=START - timedelta(hours=1))
    assert (found.changed_from, len(found.validation)) == (None, 200)
