"""Every metric by name. A name is a Literal, so that a misspelt one is a type error.

Labels say how much and of what kind, never who: no account, member, card or event id.
"""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

CounterName = Literal[
    # Records with a committed outcome, by outcome and reason; its rate is the throughput.
    "milepost_records_total",
    # Records rejected and sealed, by reason.
    "milepost_dead_letters_total",
    # Records acknowledged by the broker, by topic.
    "milepost_produced_total",
    # Times that work was put off because a service was away, by what was away.
    "milepost_retries_total",
    # Times that another process took a stream from this one.
    "milepost_fenced_total",
]
GaugeName = Literal[
    # The first offset whose effects are not committed, by stream.
    "milepost_stream_position",
    # Records in the topic that are not committed yet, by stream.
    "milepost_lag_records",
    # Age in seconds of the oldest record of the last batch when it was committed; 0 without lag.
    "milepost_oldest_event_age_seconds",
    # Streams that this process holds.
    "milepost_streams_claimed",
    # Batches that a partner should have answered by now; a person must ask there.
    "milepost_answers_overdue",
]
HistogramName = Literal[
    # Seconds from a batch's first record in hand to its commit.
    "milepost_batch_seconds",
    # Records in a batch.
    "milepost_batch_records",
]

_COUNTERS: dict[CounterName, tuple[str, tuple[str, ...]]] = {
    "milepost_records_total": ("Records by outcome and reason", ("outcome", "reason")),
    "milepost_dead_letters_total": ("Records rejected and sealed", ("reason",)),
    "milepost_produced_total": ("Records acknowledged by the broker", ("topic",)),
    "milepost_retries_total": ("Work put off because a service was away", ("what",)),
    "milepost_fenced_total": ("Streams taken by another process", ()),
}
_GAUGES: dict[GaugeName, tuple[str, tuple[str, ...]]] = {
    "milepost_stream_position": ("First offset not committed yet", ("stream",)),
    "milepost_lag_records": ("Records not committed yet", ("stream",)),
    "milepost_oldest_event_age_seconds": ("Age of the oldest record of the last batch", ()),
    "milepost_streams_claimed": ("Streams held by this process", ()),
    "milepost_answers_overdue": ("Batches that a partner should have answered", ()),
}
_HISTOGRAMS: dict[HistogramName, tuple[str, tuple[float, ...]]] = {
    "milepost_batch_seconds": (
        "From a batch's records in hand to its commit",
        (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    ),
    "milepost_batch_records": (
        "Records in a batch",
        (1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000),
    ),
}


class Metrics:
    """The metrics of one process, with a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters = {
            name: Counter(name, text, labels, registry=self._registry)
            for name, (text, labels) in _COUNTERS.items()
        }
        self._gauges = {
            name: Gauge(name, text, labels, registry=self._registry)
            for name, (text, labels) in _GAUGES.items()
        }
        self._histograms = {
            name: Histogram(name, text, buckets=buckets, registry=self._registry)
            for name, (text, buckets) in _HISTOGRAMS.items()
        }

    def count(self, name: CounterName, amount: int = 1, **labels: str) -> None:
        """Adds to a counter."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def set(self, name: GaugeName, value: float, **labels: str) -> None:
        """Sets a gauge."""
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def forget(self, name: GaugeName, label: str) -> None:
        """Drops a gauge's value of one label, such as that of a stream now held by another."""
        self._gauges[name].remove_by_labels({"stream": label})

    def observe(self, name: HistogramName, value: float) -> None:
        """Adds a measurement to a histogram."""
        self._histograms[name].observe(value)

    def exposition(self) -> bytes:
        """All of them in the text format that Prometheus reads."""
        return generate_latest(self._registry)
