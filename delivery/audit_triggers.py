"""The triggers that make the audit trail append-only, as the ledger is."""

from typing import Final

from delivery.models import ConsoleAction
from optout.append_only import AppendOnly

TRAIL: Final = AppendOnly(
    table=ConsoleAction._meta.db_table,
    prefix="delivery_audit",
    function="delivery_refuse_audit_change",
    message=(
        "The audit trail is append-only: its rows say who did what. Nothing in it is"
        " ever changed or deleted."
    ),
)
