from __future__ import annotations

from engine.jobs.spawn import Order
from engine.jobs.token import make_token


def test_a_token_is_in_nothing_that_a_log_could_print() -> None:
    token = make_token()
    assert token.text not in f"{token!r} {Order(1, 2, 'look', token.text)!r}"
