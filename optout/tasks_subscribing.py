from django.utils import timezone

from optout import service_mails
from profiles.tasks_api import task


@task()
def tell(profile_id: int, service_id: int, *, has_begun: bool, language: str) -> None:
    """Tell somebody that a subscription of theirs began, or ended."""
    service_mails.tell(
        profile_id,
        service_id,
        has_begun=has_begun,
        language=language,
        now=timezone.now(),
    )
