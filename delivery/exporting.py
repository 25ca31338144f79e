"""The log of a delivery as a file: one line per targeted profile, by external id."""

import csv
from collections.abc import Iterator
from functools import cache

from django.db import connection
from django.utils.translation import gettext as _

from delivery.models import Delivery, Message
from delivery.states import MessageStatus, reasons_in
from optout.exporting import TextStream

COLUMNS = ("external_id", "address", "outcome", "reason", "all_reasons", "status")
_ROWS_AT_ONCE = 5_000


class NotAnalysed(Exception):
    """A delivery without a finished analysis has no log; the text is a sentence."""


def write_log(delivery: Delivery, file: TextStream) -> None:
    """Write the log as CSV (RFC 4180, unescaped).

    Ordered by external id, by code point. `outcome` is to_send or excluded, `reason`
    the primary one, `all_reasons` every one that applies, in rule order, joined by |;
    `status` what became of the message (MessageStatus.code). Whom the gate excluded
    after the analysis is excluded, with the reason.
    Raises NotAnalysed.
    """
    if delivery.current_analysis_id is None:
        raise NotAnalysed(
            _("Delivery ‘%(delivery)s’ has no log: it was not analysed yet.")
            % {"delivery": delivery}
        )
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for external_id, address, status, bits in _rows(delivery.current_analysis_id):
        writer.writerow((external_id, address, *verdict(status, bits)))


@cache
def verdict(status: int, bits: int) -> tuple[str, str, str, str]:
    """Give the cells of outcome, reason, all reasons and status of a message."""
    code = MessageStatus(status).code
    if not bits:
        return "to_send", "", "", code
    codes = [reason.code for reason in reasons_in(bits)]
    return "excluded", codes[0], "|".join(codes), code


def _rows(analysis_id: int) -> Iterator[tuple[str, str, int, int]]:
    """Stream the rows; on PostgreSQL through a cursor on the server."""
    collation = '"C"' if connection.vendor == "postgresql" else "BINARY"
    sql = (
        "SELECT COALESCE(profile.external_id, ''), message.address, message.status,"
        f" message.reasons FROM {Message._meta.db_table} message"
        " JOIN profiles_profile profile ON profile.id = message.profile_id"
        f" WHERE message.analysis_id = {analysis_id:d}"
        f" ORDER BY COALESCE(profile.external_id, '') COLLATE {collation}, profile.id"
    )
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield from rows
