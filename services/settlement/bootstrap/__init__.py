"""Wires settlement: settings → stores → use cases. The only importer of the adapters.

One page per theme: sealing, delivering, exchanging, closing, proving, running.
"""

from services.settlement.bootstrap.closing import close_period, list_periods
from services.settlement.bootstrap.delivering import Sent, deliver_batch
from services.settlement.bootstrap.exchanging import (
    Followed,
    acknowledge_file,
    list_answers,
    list_merges,
    pay_batch,
    save_answer,
    withdraw_batch,
)
from services.settlement.bootstrap.payouts import accept_change
from services.settlement.bootstrap.proving import audit_rows, invariants, resettle
from services.settlement.bootstrap.reviewing import list_waiting
from services.settlement.bootstrap.running import run_settlement
from services.settlement.bootstrap.sealing import (
    BATCH_COLUMNS,
    Approved,
    Settled,
    approve_batch,
    batch_rows,
    check_file,
    end_of_cycle,
    list_batches,
    reproduce_batch,
    settle,
    show_batch,
    show_line,
)
from services.settlement.exchange.acknowledge import Acknowledged
from services.settlement.period import Closed

__all__ = [
    "BATCH_COLUMNS",
    "Acknowledged",
    "Approved",
    "Closed",
    "Followed",
    "Sent",
    "Settled",
    "accept_change",
    "acknowledge_file",
    "approve_batch",
    "audit_rows",
    "batch_rows",
    "check_file",
    "close_period",
    "deliver_batch",
    "end_of_cycle",
    "invariants",
    "list_answers",
    "list_batches",
    "list_merges",
    "list_periods",
    "list_waiting",
    "pay_batch",
    "reproduce_batch",
    "resettle",
    "run_settlement",
    "save_answer",
    "settle",
    "show_batch",
    "show_line",
    "withdraw_batch",
]
