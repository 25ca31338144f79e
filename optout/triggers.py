"""The triggers that make the consent ledger append-only."""

from typing import Final

from optout.append_only import AppendOnly
from optout.models import ConsentEvent

LEDGER: Final = AppendOnly(
    table=ConsentEvent._meta.db_table,
    prefix="optout_ledger",
    function="optout_refuse_ledger_change",
    message=(
        "The consent ledger is append-only: its rows are the proof of what people asked"
        " for. Add a row that corrects, instead of changing or deleting one."
    ),
)
