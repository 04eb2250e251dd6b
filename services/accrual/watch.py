"""Who is told what came of a batch: the metrics, and the log where a decision broke."""

from __future__ import annotations

from uuid import UUID, uuid5

from services.accrual.intake import Recorded
from services.runtime.service import Service
from services.runtime.telemetry import get_logger

_log = get_logger(__name__)


class Watch:
    """Tells metrics and logs what batches came to."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def recorded(self, outcome: str, reason: str | None, count: int) -> None:
        """So many events had this outcome."""
        metrics = self._service.metrics
        metrics.count("milepost_records_total", count, outcome=outcome, reason=reason or "")
        if outcome == "REJECTED":
            metrics.count("milepost_dead_letters_total", count, reason=reason or "")

    def failed(self, recorded: Recorded, error: Exception) -> None:
        """A decision broke; the event is recorded FAILED and can be reconsidered."""
        identifier = uuid5(UUID(bytes=recorded.identity), "failed")
        _log.error(
            "a decision failed; run `milepost reconsider account` once the cause is gone",
            stream=recorded.stream_id, seq=recorded.seq, error_id=str(identifier),
            error=type(error).__name__, exc_info=error,
        )  # fmt: skip
