from django.utils import timezone

from optout import upload_runs
from profiles.tasks_api import task


@task()
def import_upload(upload_id: int) -> None:
    """Read an uploaded file."""
    upload_runs.run(upload_id, now=timezone.now())
