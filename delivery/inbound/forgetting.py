"""Forgetting what came in from somebody who is erased: the text goes, the act stays."""

from delivery.inbound import answers
from delivery.models import Inbound
from profiles.models import Address, Profile


def forget(profile: Profile) -> int:
    """Take the words and numbers of a person out of what came in; gives of how many.

    Called while the person's addresses are still known.
    """
    digests = list(
        Address.objects.filter(profile=profile).values_list("digest", flat=True)
    )
    answers.forget(digests)
    of_them = Inbound.objects.filter(digest__in=digests)
    return of_them.filter(raw__isnull=False).update(raw=None)
