"""What an order will change, as lines."""

from typing import Any

import pytest
from fakes import wire_objects as made

from engine.wire.about import About
from engine.wire.endpoints import ReleasePreview
from mlops_tui.commands import BY_ID, NEEDS
from mlops_tui.view.release import asks_for_its_name, is_so_already, release_facts
from mlops_tui.view.roles import may, why_not


def told(seen: ReleasePreview) -> str:
    return "\n".join(f"{name} {value.text}" for name, value in release_facts(seen))


def step(**changes: Any) -> Any:
    return made.preview().steps[0].model_copy(update=changes)


def test_a_champion_that_stays_is_no_question_of_its_name():
    beside = made.preview("deploy", champion_after=2, steps=[step(after=0.9, ends=False), made.preview().steps[1]])
    assert not asks_for_its_name(beside)
    assert asks_for_its_name(made.preview())
    assert "champion stays @2" in told(beside)
    assert "@2  100% → 90%, deployment 4 goes on" in told(beside)


def test_a_first_release_needs_no_name_for_nothing_goes():
    first = made.preview(champion_before=None, steps=made.preview().steps[1:])
    assert not asks_for_its_name(first)
    assert "champion none → @3" in told(first)


def test_one_that_never_got_traffic_is_told_to_end():
    assert "@2  gets no traffic any more: deployment 4 ends" in told(made.preview(steps=[step(before=0.0)]))


def test_a_second_approval_changes_nothing():
    again = made.approval_preview(approves=False, approved_by="ben")
    assert is_so_already(again)
    assert "✓ by ben already" in told(again)


def test_a_refusal_shows_no_change():
    refused = made.preview(refusal={"code": "forbidden", "message": "No."}, steps=[], champion_after=2)
    assert "champion" not in told(refused)
    assert not is_so_already(refused)


def about(role: str) -> About:
    return made.about(role=role)


@pytest.mark.parametrize("command", sorted(NEEDS))
def test_a_role_may_what_those_below_it_may(command: str):
    roles = ("viewer", "operator", "approver", "admin")
    allowed = [may(about(role), BY_ID[command]) for role in roles]
    assert allowed == sorted(allowed)
    assert allowed[-1]
    assert not allowed[0]


def test_a_role_that_is_not_known_yet_is_left_to_the_engine():
    assert may(None, BY_ID["approve"])


def test_who_may_not_is_told_who_may():
    assert "only an approver may approve" in why_not(about("operator"), BY_ID["approve"])
