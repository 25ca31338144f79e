from uuid import UUID

from django.utils import timezone

from optout import link_mail, mails, upload_runs
from profiles.channels import Channel
from profiles.tasks_api import task


@task()
def import_upload(upload_id: int) -> None:
    """Read an uploaded file."""
    upload_runs.run(upload_id, now=timezone.now())


@task()
def ask_to_confirm(sign_up_id: int) -> None:
    """Ask the owner of a mailbox to confirm a sign-up."""
    mails.ask_to_confirm(sign_up_id)


@task()
def answer_request(channel: int, digest: str) -> None:
    """Do what somebody asked without a link, for the address of a digest."""
    link_mail.answer(Channel(channel), UUID(digest), now=timezone.now())
