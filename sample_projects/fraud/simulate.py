"""Simulates a bank's card transactions: customers with habits, merchants, seasons, five kinds of fraud, and drift.

    python simulate.py                                              January to April 2026, into data/
    python simulate.py --from 2026-05-01 --to 2026-05-31            a month more
    python simulate.py --from 2026-05-01 --to 2026-06-30 --drift 2026-05-15 --cause new-fraud-pattern
    python simulate.py --from 2026-06-01 --to 2026-06-30 --unlabelled --labels labels.csv

One Parquet file a month. A day's rows depend on the seed, the day, the rows a day and the drift alone, so the same day
is the same whatever range it is asked in, and days before a drift are the same as without it. README.md says what is in
the rows and why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

FRAUD_RATE = 0.012
CUSTOMERS = 4_000
COUNTRIES = {"FR": 0.62, "DE": 0.11, "ES": 0.09, "IT": 0.08, "GB": 0.06, "US": 0.03, "RO": 0.006, "NG": 0.004}

WEEKDAYS = np.array([0.95, 0.93, 0.96, 1.0, 1.16, 1.18, 0.82])
"""Transactions by weekday, Monday first."""
MONTHS = np.array([0.88, 0.92, 0.97, 0.99, 1.0, 1.03, 1.06, 1.0, 0.97, 1.0, 1.1, 1.26])
FRAUD_MONTHS = np.array([0.9, 0.95, 1.0, 1.0, 1.0, 1.0, 1.05, 1.05, 1.0, 1.0, 1.15, 1.25])


@dataclass(frozen=True)
class Merchant:
    """A kind of merchant: its share of honest transactions, its amounts (lognormal) and its hours (mean, spread)."""

    share: float
    median_amount: float
    spread: float
    hour: float
    hour_spread: float
    online: float
    """Part of its sales that is online; cash is drawn at machines and never is."""


MERCHANTS = {
    "grocery": Merchant(0.27, 34.0, 0.75, 16.0, 3.5, 0.06),
    "restaurant": Merchant(0.17, 27.0, 0.65, 18.5, 3.6, 0.12),
    "digital": Merchant(0.12, 12.0, 0.90, 19.0, 4.5, 1.0),
    "fuel": Merchant(0.09, 52.0, 0.40, 13.0, 4.5, 0.0),
    "clothing": Merchant(0.09, 58.0, 0.75, 16.0, 3.8, 0.45),
    "cash": Merchant(0.08, 70.0, 0.70, 14.0, 4.2, 0.0),
    "pharmacy": Merchant(0.06, 19.0, 0.65, 14.0, 3.5, 0.05),
    "electronics": Merchant(0.05, 130.0, 0.95, 16.5, 4.0, 0.55),
    "travel": Merchant(0.03, 210.0, 0.90, 15.5, 4.5, 0.80),
    "utilities": Merchant(0.02, 85.0, 0.55, 11.0, 3.0, 0.90),
    "gambling": Merchant(0.015, 35.0, 0.95, 21.5, 3.5, 0.95),
    "jewellery": Merchant(0.005, 190.0, 0.90, 15.0, 3.0, 0.30),
}


@dataclass(frozen=True)
class Fraud:
    """A kind of fraud: where it happens and what it does to a row. Means, around which every row scatters."""

    share: float
    merchants: dict[str, float]
    channels: dict[str, float]
    amount_factor: float
    """Amount against what that merchant usually takes."""
    hour: float
    hour_spread: float
    abroad: float
    new_merchant: float
    new_device: float
    hours_since_last: float
    declines: float


FRAUDS = {
    "stolen-number": Fraud(
        0.42, {"electronics": 0.3, "clothing": 0.25, "digital": 0.25, "travel": 0.2}, {"online": 1.0},
        2.0, 2.5, 4.5, 0.35, 0.70, 0.50, 9.0, 0.35,
    ),
    "card-testing": Fraud(
        0.12, {"digital": 0.9, "utilities": 0.1}, {"online": 1.0},
        0.15, 4.0, 6.0, 0.45, 0.90, 0.60, 0.6, 1.5,
    ),
    "lost-card": Fraud(
        0.20, {"cash": 0.4, "electronics": 0.2, "jewellery": 0.05, "fuel": 0.2, "grocery": 0.15},
        {"contactless": 0.5, "chip": 0.5}, 1.9, 20.0, 4.5, 0.1, 0.65, 0.0, 2.0, 0.6,
    ),
    "account-takeover": Fraud(
        0.12, {"travel": 0.5, "gambling": 0.4, "jewellery": 0.1}, {"online": 1.0},
        2.4, 23.0, 4.0, 0.2, 0.70, 0.80, 12.0, 0.25,
    ),
    "first-party": Fraud(
        0.14, {"digital": 0.4, "clothing": 0.3, "electronics": 0.2, "travel": 0.1}, {"online": 1.0},
        1.1, 18.0, 4.5, 0.08, 0.35, 0.08, 28.0, 0.04,
    ),
}  # fmt: skip
"""The last is the customer who denies a payment of their own; no feature gives it away, so no model finds it."""

INVOICE_SCAM = Fraud(
    1.0, {"utilities": 0.55, "travel": 0.2, "digital": 0.25}, {"online": 1.0},
    1.3, 11.5, 2.5, 0.02, 0.9, 0.04, 30.0, 0.02,
)  # fmt: skip
"""Customers pay a forged invoice themselves: from home, by day, on their own device. Only the payee is new."""

APP_SCAM = Fraud(
    1.0, {"electronics": 0.4, "digital": 0.35, "clothing": 0.25}, {"app": 1.0},
    1.6, 13.0, 2.5, 0.03, 0.8, 0.05, 28.0, 0.03,
)  # fmt: skip
"""Somebody talks customers into paying by the app, at lunchtime, on their own device, as nobody honest pays there."""

CAUSES = {
    "app-scam": "an app that pays its first users appears; a quarter of payments move to it, and a scam comes with it",
    "new-fraud-pattern": "forged invoices, paid like honest bills, come on top of the fraud there was and replace some",
    "new-merchant-app": "a payment app appears; a quarter of payments move to it, and fraud follows",
    "price-rise": "groceries, fuel and utilities cost a quarter more from one day to the next",
    "broken-feed": "a processor's feed breaks: distances go missing, and hours since the last payment read 0",
}


@dataclass(frozen=True)
class Drift:
    """A change that arrives on a day, by one of `CAUSES`."""

    on: date
    cause: str

    def reach(self, day: date) -> float:
        """How much of it is in force, 0 to 1: people change over two weeks (over five days where an app pays
        them to), prices and feeds at once.
        """
        if day < self.on:
            return 0.0
        if self.cause in {"price-rise", "broken-feed"}:
            return 1.0
        if self.cause == "app-scam":
            return min(1.0, ((day - self.on).days + 1) / 5)
        return min(1.0, ((day - self.on).days + 1) / 14)


@dataclass(frozen=True)
class Customers:
    """Everybody who holds a card, shape (CUSTOMERS,) each."""

    home: np.ndarray
    card: np.ndarray
    spending: np.ndarray
    """Factor on every amount."""
    hours_between: np.ndarray
    """Mean time between payments."""
    age: np.ndarray
    """NaN where the bank does not know it."""
    opened: np.ndarray
    """Day the account was opened, as a proleptic ordinal."""


def make_customers(seed: int) -> Customers:
    """The bank's customers, the same for the same seed."""
    rng = np.random.default_rng([seed, 0])
    age = np.clip(rng.normal(46, 16, CUSTOMERS), 18, 95).round()
    age[rng.random(CUSTOMERS) < 0.03] = np.nan
    return Customers(
        home=rng.choice(list(COUNTRIES), CUSTOMERS, p=np.array([0.9, 0.04, 0.02, 0.02, 0.02, 0, 0, 0])),
        card=rng.integers(4_000_000_000_000_000, 5_000_000_000_000_000, CUSTOMERS),
        spending=rng.lognormal(0.0, 0.35, CUSTOMERS),
        hours_between=rng.lognormal(np.log(30.0), 0.6, CUSTOMERS),
        age=age,
        opened=date(2025, 12, 31).toordinal() - rng.gamma(2.0, 900.0, CUSTOMERS).astype(int),
    )


Rows = dict[str, np.ndarray]


def simulate_day(day: date, customers: Customers, rows_per_day: int, seed: int, drift: Drift | None) -> pl.DataFrame:
    """One day of transactions in time order, with `is_fraud` and `labelled_at`."""
    rng = np.random.default_rng([seed, day.toordinal()])
    season = WEEKDAYS[day.weekday()] * MONTHS[day.month - 1]
    count = int(rng.poisson(rows_per_day * season * rng.lognormal(0.0, 0.04)))
    is_fraud = rng.random(count) < FRAUD_RATE * FRAUD_MONTHS[day.month - 1]
    active = 1 / customers.hours_between
    who = rng.choice(CUSTOMERS, count, p=active / active.sum())
    rows = honest_rows(rng, customers, who)
    for name, kind in zip(FRAUDS, _kinds_of_fraud(rng, is_fraud), strict=True):
        make_fraud(rng, rows, kind, FRAUDS[name], customers, who)
    if drift and (reach := drift.reach(day)):
        _apply_drift(np.random.default_rng([seed, day.toordinal(), 1]), rows, is_fraud, drift, reach, customers, who)
    return _frame(rng, rows, is_fraud, day, customers, who)


def _kinds_of_fraud(rng: np.random.Generator, is_fraud: np.ndarray) -> list[np.ndarray]:
    shares = np.array([fraud.share for fraud in FRAUDS.values()])
    kind = rng.choice(len(shares), len(is_fraud), p=shares)
    return [np.flatnonzero(is_fraud & (kind == number)) for number in range(len(shares))]


def honest_rows(rng: np.random.Generator, customers: Customers, who: np.ndarray) -> Rows:
    """What the customers numbered `who` do when nobody steals from them."""
    n = len(who)
    merchants = list(MERCHANTS.values())
    shares = np.array([merchant.share for merchant in merchants])
    kind = rng.choice(len(merchants), n, p=shares / shares.sum())
    online = rng.random(n) < np.array([merchant.online for merchant in merchants])[kind]
    home = customers.home[who]
    away = rng.random(n) < np.where(online, 0.12, 0.035)
    abroad = rng.choice(list(COUNTRIES), n, p=list(COUNTRIES.values()))
    rows = {
        "merchant_category": np.array(list(MERCHANTS))[kind],
        "channel": np.where(online, "online", np.where(rng.random(n) < 0.55, "contactless", "chip")),
        "country": np.where(away, abroad, home),
        # Student's t, so that amounts have a heavy tail; cut off where a card's limit is.
        "usual": np.array([merchant.median_amount for merchant in merchants])[kind],
        "factor": np.exp(
            np.clip(rng.standard_t(4, n), -4, 5) * 0.75 * np.array([merchant.spread for merchant in merchants])[kind]
        ),
        "hour": rng.normal(
            np.array([merchant.hour for merchant in merchants])[kind],
            np.array([merchant.hour_spread for merchant in merchants])[kind],
        ) % 24,
        "new_merchant": rng.random(n) < np.where(online, 0.30, 0.18),
        "new_device": online & (rng.random(n) < 0.08),
        "hours_since_last": rng.exponential(customers.hours_between[who]),
        "declines_24h": rng.poisson(0.03, n),
        "distance_km": np.where(away, rng.gamma(2.0, 450.0, n), rng.exponential(9.0, n)),
    }  # fmt: skip
    rows["channel"][rows["merchant_category"] == "cash"] = "chip"
    return rows


def make_fraud(
    rng: np.random.Generator, rows: Rows, at: np.ndarray, fraud: Fraud, customers: Customers, who: np.ndarray
) -> None:
    """Turn the rows numbered `at` into one kind of fraud, in place."""
    n = len(at)
    merchant = rng.choice(list(fraud.merchants), n, p=list(fraud.merchants.values()))
    abroad = rng.random(n) < fraud.abroad
    elsewhere = rng.choice(list(COUNTRIES), n, p=[0.1, 0.12, 0.1, 0.1, 0.13, 0.2, 0.13, 0.12])
    rows["merchant_category"][at] = merchant
    rows["channel"][at] = rng.choice(list(fraud.channels), n, p=list(fraud.channels.values()))
    rows["country"][at] = np.where(abroad, elsewhere, customers.home[who[at]])
    rows["usual"][at] = [MERCHANTS[name].median_amount for name in merchant]
    rows["factor"][at] = fraud.amount_factor * rng.lognormal(0.0, 0.6, n)
    rows["hour"][at] = rng.normal(fraud.hour, fraud.hour_spread, n) % 24
    rows["new_merchant"][at] = rng.random(n) < fraud.new_merchant
    rows["new_device"][at] = rng.random(n) < fraud.new_device
    rows["hours_since_last"][at] = rng.exponential(fraud.hours_since_last, n)
    rows["declines_24h"][at] = rng.poisson(fraud.declines, n)
    rows["distance_km"][at] = np.where(abroad, rng.gamma(2.0, 700.0, n), rng.exponential(25.0, n))


def _apply_drift(
    rng: np.random.Generator, rows: Rows, is_fraud: np.ndarray, drift: Drift, reach: float, customers: Customers,
    who: np.ndarray,
) -> None:  # fmt: skip
    n = len(who)
    if drift.cause == "new-fraud-pattern":
        added = ~is_fraud & (rng.random(n) < FRAUD_RATE * 0.5 * reach)
        moved = is_fraud & (rng.random(n) < 0.3 * reach)
        is_fraud |= added
        make_fraud(rng, rows, np.flatnonzero(added | moved), INVOICE_SCAM, customers, who)
    elif drift.cause == "new-merchant-app":
        _move_to_the_app(rng, rows, rng.random(n) < np.where(is_fraud, 0.4, 0.25) * reach)
    elif drift.cause == "app-scam":
        _move_to_the_app(rng, rows, rng.random(n) < np.where(is_fraud, 0.0, 0.25) * reach)
        added = ~is_fraud & (rng.random(n) < FRAUD_RATE * 0.8 * reach)
        moved = is_fraud & (rng.random(n) < 0.3 * reach)
        is_fraud |= added
        make_fraud(rng, rows, np.flatnonzero(added | moved), APP_SCAM, customers, who)
    elif drift.cause == "price-rise":
        rows["factor"][np.isin(rows["merchant_category"], ["grocery", "fuel", "utilities"])] *= 1.25
    else:
        hit = rng.random(n) < 0.7
        rows["distance_km"][hit] = np.nan
        rows["hours_since_last"][hit] = 0.0


def _move_to_the_app(rng: np.random.Generator, rows: Rows, which: np.ndarray) -> None:
    moved = np.flatnonzero(which)
    rows["channel"][moved] = "app"
    rows["hour"][moved] = rng.normal(20.0, 2.5, len(moved)) % 24
    rows["factor"][moved] *= 0.6
    rows["new_merchant"][moved] = rng.random(len(moved)) < 0.6


def _frame(
    rng: np.random.Generator, rows: Rows, is_fraud: np.ndarray, day: date, customers: Customers, who: np.ndarray
) -> pl.DataFrame:
    n = len(who)
    spending = customers.spending[who]
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
    second = np.minimum((rows["hour"] * 3600).astype(np.int64), 86_399)
    occurred = midnight + second * 1_000_000
    # A card's payments of the last day follow from how often it is used, this one left out.
    recent = rng.poisson(np.where(rows["hours_since_last"] < 2, 2.0, 24 / customers.hours_between[who]))
    amount = np.maximum(rows["usual"] * rows["factor"] * spending, 0.2).round(2)
    delay_days = np.where(is_fraud, np.minimum(rng.lognormal(np.log(6.0), 0.9, n), 60.0), 14.0)
    columns: dict[str, Any] = {
        "occurred_at": occurred,
        "card_number": customers.card[who].astype(str),
        "merchant_category": rows["merchant_category"],
        "channel": rows["channel"],
        "country": rows["country"],
        "amount": amount,
        "amount_to_usual": (rows["factor"] * rng.lognormal(0.0, 0.15, n)).round(3),
        "distance_km": np.where(rows["channel"] == "online", np.nan, rows["distance_km"]).round(1),
        "hours_since_last": rows["hours_since_last"].round(2),
        "transactions_24h": recent,
        "declines_24h": rows["declines_24h"].astype(np.int64),
        "new_merchant": rows["new_merchant"],
        "new_device": rows["new_device"],
        "customer_age": customers.age[who],
        "account_age_days": np.maximum(day.toordinal() - customers.opened[who], 0),
        "hour": second // 3600,
        "weekday": np.full(n, day.strftime("%a").lower()),
        "is_fraud": is_fraud,
        "labelled_at": occurred + (delay_days * 86_400_000_000).astype(np.int64),
    }
    frame = pl.DataFrame(columns).with_columns(
        pl.col("occurred_at", "labelled_at").cast(pl.Datetime("us", "UTC")),
        pl.col("distance_km", "customer_age").fill_nan(None),
    )
    ids = [f"{day:%Y%m%d}-{number:06d}" for number in range(n)]
    return frame.sort("occurred_at", maintain_order=True).insert_column(0, pl.Series("transaction_id", ids))


def days(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def simulate(
    first: date, last: date, *, rows_per_day: int = 1000, seed: int = 7, drift: Drift | None = None
) -> pl.DataFrame:
    """All transactions from `first` to `last`, both included, in time order."""
    customers = make_customers(seed)
    return pl.concat([simulate_day(day, customers, rows_per_day, seed, drift) for day in days(first, last)])


def write_months(frame: pl.DataFrame, folder: Path) -> list[Path]:
    """Write one Parquet file a month, named `2026-01.parquet`; a file that is there is replaced whole."""
    folder.mkdir(parents=True, exist_ok=True)
    months = frame["occurred_at"].dt.strftime("%Y-%m")
    paths = []
    for month in [name for name, _ in groupby(months)]:
        path = folder / f"{month}.parquet"
        frame.filter(months == month).write_parquet(path)
        paths.append(path)
    return paths


def write_labels(frame: pl.DataFrame, path: Path) -> None:
    """Write `transaction_id,is_fraud,labelled_at` in the order in which the labels arrive."""
    labels = frame.select("transaction_id", "is_fraud", "labelled_at").sort("labelled_at", "transaction_id")
    path.parent.mkdir(parents=True, exist_ok=True)
    labels.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%SZ")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    day = date.fromisoformat
    parser.add_argument("--from", dest="first", type=day, default=date(2026, 1, 1), metavar="DATE")
    parser.add_argument("--to", dest="last", type=day, default=date(2026, 4, 30), metavar="DATE", help="included")
    parser.add_argument("--rows-per-day", type=int, default=1000, metavar="N", help="on an average day")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--drift", type=day, metavar="DATE", help="the day something changes")
    parser.add_argument("--cause", choices=list(CAUSES), default="new-fraud-pattern", help="what changes")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data", metavar="FOLDER")
    parser.add_argument("--unlabelled", action="store_true", help="leave is_fraud out, as in production")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="also write the labels as they arrive, as CSV")
    chosen = parser.parse_args()
    if chosen.last < chosen.first:
        parser.error(f"--to {chosen.last} lies before --from {chosen.first}")
    if chosen.rows_per_day < 1:
        parser.error("--rows-per-day must be at least 1")
    return chosen


def main() -> None:
    """Simulate what the command line asks for and say what was written."""
    chosen = _arguments()
    drift = Drift(chosen.drift, chosen.cause) if chosen.drift else None
    frame = simulate(chosen.first, chosen.last, rows_per_day=chosen.rows_per_day, seed=chosen.seed, drift=drift)
    kept = frame.drop("labelled_at", *(["is_fraud"] if chosen.unlabelled else []))
    try:
        if chosen.labels:
            write_labels(frame, chosen.labels)
        paths = write_months(kept, chosen.out)
    except OSError as error:
        sys.exit(f"Nothing more is written: {error}")
    told = f"; from {drift.on} on {CAUSES[drift.cause]}" if drift else ""
    print(f"{len(frame):,} transactions, {frame['is_fraud'].mean():.2%} of them fraud, in {len(paths)} files{told}")


if __name__ == "__main__":
    main()
