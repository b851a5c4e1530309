"""A salted 64-bit hash of each row, the same on every machine and with every library.

polars' own hash may change between releases, and a row must never change sides of the split. So: text is a polynomial
over its bytes modulo 2⁶⁴, numbers are their bits, and everything goes through the finaliser of SplitMix64 (Steele,
Lea and Flood 2014). It spreads rows; it is no protection against rows made to collide.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]

_PRIME = 0x100000001B3
_BLOCK_ROWS = 100_000
_NULL = np.uint64(0x9E3779B97F4A7C15)


def hash_values(values: pl.Series, salt: str) -> Hashes:
    """Hash of each value by its text, shape (rows,): an id keeps it when its column turns from integer to text."""
    return _mixed(_text(values.cast(pl.String)) ^ _seed(salt))


def hash_rows(frame: pl.DataFrame, salt: str) -> Hashes:
    """Hash of each row over all columns of a canonical frame, shape (rows,); their order does not matter."""
    hashes = np.full(frame.height, _seed(salt), dtype=np.uint64)
    for name in sorted(frame.columns):
        hashes = _mixed(hashes ^ _mixed(_column(frame[name]) ^ _seed(name)))
    return hashes


def to_fraction(hashes: Hashes) -> npt.NDArray[np.float64]:
    """Each hash as a number in [0, 1)."""
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _seed(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little"))


def _column(values: pl.Series) -> Hashes:
    if values.dtype == pl.String():
        return _text(values)
    # As floats, all of them: a row keeps its side when a column of whole numbers meets its first fraction. Adding 0.0
    # turns -0.0 into 0.0.
    bits = (values.to_physical().cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0).view(np.uint64)
    return np.where(values.is_null().to_numpy(), _NULL, _mixed(bits))


def _text(values: pl.Series) -> Hashes:
    """In blocks, for the working arrays take 24 bytes per byte of text."""
    blocks = [_text_block(values[begin : begin + _BLOCK_ROWS]) for begin in range(0, len(values), _BLOCK_ROWS)]
    return np.concatenate([np.empty(0, dtype=np.uint64), *blocks])


def _text_block(values: pl.Series) -> Hashes:
    filled = values.fill_null("")
    lengths = filled.str.len_bytes().to_numpy().astype(np.int64)
    content = np.frombuffer("".join(filled.to_list()).encode(), dtype=np.uint8).astype(np.uint64) + np.uint64(1)
    begins = np.cumsum(lengths) - lengths
    position = np.arange(len(content)) - np.repeat(begins, lengths)
    hashes = lengths.astype(np.uint64)
    written = np.flatnonzero(lengths)
    if len(written):
        powers = np.cumprod(np.full(int(lengths.max()), _PRIME, dtype=np.uint64), dtype=np.uint64)
        hashes[written] += np.add.reduceat(content * powers[position], begins[written])
    return np.where(values.is_null().to_numpy(), _NULL, hashes)


def _mixed(hashes: Hashes) -> Hashes:
    with np.errstate(over="ignore"):
        mixed = hashes + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
