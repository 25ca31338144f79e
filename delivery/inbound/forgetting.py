"""Forgetting what came in from somebody who is erased: the text goes, the act stays."""

from django.db.models import Q

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
    # Of who only asked to stop, the profile alone is known.
    of_them = Inbound.objects.filter(Q(digest__in=digests) | Q(profile_id=profile.pk))
    return of_them.filter(raw__isnull=False).update(raw=None)
