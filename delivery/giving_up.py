"""Giving up on messages that expired unsent: what their refusals mean together.

A refusal for now says nothing against an address. A server that refused for now each
time, until the message expired, does: that is one soft error (RFC 3463, 4.4.7).
"""

from typing import Final

from django.db import connection

from delivery.channels.outcomes import OutcomeKind, Phase
from delivery.models import Attempt, Message, Part
from delivery.states import MessageStatus

# Our word for the last attempt of such a message.
GAVE_UP: Final = "gave_up"


def mark(part: Part) -> int:
    """Let messages that expired unsent count as one soft error each; gives how many.

    Those that their server refused for now, at the recipient and never otherwise. Of
    each the last attempt is to be read again, as the one after which we gave up. Call
    it in the transaction in which they expire.
    """
    attempts, messages = Attempt._meta.db_table, Message._meta.db_table
    soft = (
        f"attempt.outcome = {OutcomeKind.SOFT:d} AND attempt.phase = {Phase.RCPT:d}"
        " AND attempt.reply_code BETWEEN 400 AND 499"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {attempts} SET is_unread = %s, code = %s WHERE id IN ("
            f"SELECT MAX(attempt.id) FROM {attempts} attempt JOIN {messages} message"
            " ON message.analysis_id = attempt.analysis_id"
            " AND message.profile_id = attempt.profile_id"
            " WHERE attempt.analysis_id = %s AND message.analysis_id = %s"
            " AND message.profile_id BETWEEN %s AND %s AND message.status = %s"
            " GROUP BY attempt.profile_id"
            f" HAVING MIN(CASE WHEN {soft} THEN 1 ELSE 0 END) = 1)"
            " AND code <> %s",
            [
                True,
                GAVE_UP,
                part.analysis_id,
                part.analysis_id,
                part.first_profile_id,
                part.last_profile_id,
                MessageStatus.EXPIRED.value,
                GAVE_UP,
            ],
        )
        return int(cursor.rowcount)
