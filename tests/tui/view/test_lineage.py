"""One version to read."""

from typing import Any

import pytest
from fakes import wire_objects as made

from engine.wire.models import ApprovalView
from mlops_tui.view.lineage import standing, version_page

APPROVED = ApprovalView(by="grace", at=made.ago(minutes=1), override=None, automatic=False)


def test_names_of_inputs_never_touch_their_types():
    names = ["a" * length for length in (1, 10, 11, 12, 13, 20)]
    inputs = [{"name": name, "type": "integer", "nullable": True} for name in names]
    lines = [line.text for line in version_page(made.version(inputs=inputs), made.NOW, 80)]
    begins = [line.index(" integer ·") for line in lines if " integer ·" in line]
    assert len(begins) == len(names)
    assert len(set(begins)) == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "A approves it, then D releases it"),
        ({"approval": APPROVED}, "D releases it"),
        ({"approval": APPROVED, "share": 1.0, "aliases": ["champion"]}, "serves 100% of the traffic as the champion"),
        ({"approval": APPROVED, "share": 0.1}, "serves 10% of the traffic; R"),
        ({"verdict": made.verdict(outcome="fail")}, "the gate refused it; A approves it all the same, with a reason"),
        ({"verdict": made.verdict(outcome="insufficient")}, "too little is known to judge it"),
    ],
)
def test_a_version_says_what_can_be_done_about_it(changes: dict[str, Any], told: str):
    version = made.version(**changes)
    assert told in standing(version).text
    assert version_page(version, made.NOW, 80)[1] == standing(version)
