from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.json_limits import DEPTH_LIMIT, check_json
from engine.errors import InvalidInput

HOSTILE = {
    "100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "one too deep": b"[" * (DEPTH_LIMIT + 1) + b"]" * (DEPTH_LIMIT + 1),
    "objects too deep": b'{"a":' * (DEPTH_LIMIT + 1) + b"1" + b"}" * (DEPTH_LIMIT + 1),
    "5,000 digits": b'{"seed":' + b"9" * 5_000 + b"}",
    "a million digits": b"9" * 1_000_000,
    "301 digits": b'{"seed":-' + b"9" * 301 + b"}",
    "NaN": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}',
    "overflow": b'{"a":[1e999]}',
    "negative overflow": b'{"a":-1E999}',
    "lone surrogate": rb'{"a":"\ud800"}',
    "NUL": rb'{"a":"x\u0000"}',
    "NUL in a key": rb'{"a\u0000":1}',
    "raw NUL": b'{"a":"\x00"}',
    "two values": b"{} {}",
    "bad UTF-8": b'{"a":"\xff"}',
    "cut off": b'{"a":',
    "comment": b"{} // hello",
    "empty": b"",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_refused_in_one_sentence(body: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_json(body)
    assert refused.value.message.startswith("The body ")
    assert "\n" not in refused.value.message
    assert len(refused.value.message) < 300


def test_the_deepest_allowed_body_passes() -> None:
    check_json(b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT)


def test_a_long_row_of_digits_in_a_text_is_no_number() -> None:
    check_json(b'{"sha":"' + b"9" * 400 + b'"}')


def test_a_backslash_before_u0000_is_no_nul() -> None:
    check_json(rb'{"a":"\\u0000"}')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=30,
)


@given(JSON)
def test_ordinary_json_passes(value: object) -> None:
    check_json(json.dumps(value).encode())
