"""Wires accrual: settings → stores → use cases. The only importer of the adapters.

One page a theme; this one is their front.
"""

from services.accrual.bootstrap.commands import (
    Shown,
    apply_contract,
    approve_contract,
    import_activations,
    import_members,
    list_activations,
    list_contracts,
    reconsider_account,
    reconsider_contract,
    resolve_event,
    show_member,
)
from services.accrual.bootstrap.lookups import (
    books,
    list_dead_letters,
    open_dead_letters,
    record_replay,
    write_table,
)
from services.accrual.bootstrap.rebuilding import rebuild
from services.accrual.bootstrap.running import run_accrual, run_publisher
from services.accrual.bootstrap.trying import merchants_unseen, try_on_events, try_on_record

__all__ = [
    "Shown",
    "apply_contract",
    "approve_contract",
    "books",
    "import_activations",
    "import_members",
    "list_activations",
    "list_contracts",
    "list_dead_letters",
    "merchants_unseen",
    "open_dead_letters",
    "rebuild",
    "reconsider_account",
    "reconsider_contract",
    "record_replay",
    "resolve_event",
    "run_accrual",
    "run_publisher",
    "show_member",
    "try_on_events",
    "try_on_record",
    "write_table",
]
