"""Outcomes of what was predicted come in by the command line, and tell what the answers were worth."""

from __future__ import annotations

from collections.abc import Callable

from fakes.shell import Shell, customers, write_rows


def test_outcomes_come_in_parts_and_again_and_show_what_the_answers_were_worth(
    shell: Shell, churn: Callable[[int], None]
) -> None:
    churn(3000)
    early = shell.try_("label", "churn", "churn.csv")
    assert early.code == 1 and "has no version yet" in early.err
    shell("train", "churn")
    shell("deploy", "churn")
    nothing = shell("performance", "churn")
    assert "No labels have come yet" in nothing.out

    lived = customers(1200, seed=5, first=50_000)
    write_rows(shell.folder / "now.csv", lived)
    shell("predict", "churn", "now.csv")
    truth = [{"customer id": row["customer id"], "churned": row["churned"]} for row in lived]
    truth[7] = truth[7] | {"churned": "who knows"}
    write_rows(shell.folder / "outcomes.csv", truth)

    told = shell("label", "churn", "outcomes.csv")
    assert "outcomes.csv, line 9: 'who knows' is none of the classes no, yes." in told.err
    assert "1,199 of 1,200 captured rows are labelled now" in told.out
    again = shell("label", "churn", "outcomes.csv", "--json").json["counts"]
    assert {key: again[key] for key in ("rows", "matched", "early", "repeated", "corrected", "refused")} == {
        "rows": 1200, "matched": 1199, "early": 0, "repeated": 1199, "corrected": 0, "refused": 1,
    }  # fmt: skip

    found = shell("performance", "churn", "--json").json
    assert (found["metric"], found["captured"], found["labelled"]) == ("average_precision", 1200, 1199)
    promised, [window] = found["promised"]["1"], [one for one in found["windows"] if one["mature"]]
    assert window["lower"] <= promised["upper"] and window["upper"] >= promised["lower"]
    assert "✓ average_precision ↑ of churn@1 was" in shell("performance", "churn").out
    assert shell("alarms", "churn", "--json").json["alarms"] == []

    write_rows(shell.folder / "wrong.csv", [{"who": 1, "what": 2}])
    wrong = shell.try_("label", "churn", "wrong.csv")
    assert wrong.code == 1
    assert "wrong.csv has no key: no column 'customer id' or 'id'" in wrong.err
    assert shell.try_("label", "churn", "gone.csv").code == 1
