"""The Tasks API: Django's own from 6.0 on, its backport before."""

import django

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task  # type: ignore[no-redef,unused-ignore]

__all__ = ["task"]
