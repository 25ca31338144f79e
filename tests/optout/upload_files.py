"""A file of quarantine that is uploaded, and its reading."""

from datetime import UTC, datetime

from optout import upload_runs
from optout.models import Upload

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROWS = (
    b"channel,address,status,reason\n"
    b"email,gone@example.com,quarantine,user_unknown\n"
    b"email,stop@example.com,denylisted,complaint\n"
    b"pigeon,coo,quarantine,\n"
)


def run(upload: Upload) -> Upload:
    upload_runs.run(upload.pk, now=NOW)
    upload.refresh_from_db()
    return upload
