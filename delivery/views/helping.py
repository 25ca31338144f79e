"""Doors to the help: the guide for newcomers, and the glossary."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from delivery import glossary as words
from delivery import guide as newcomers


@login_required
@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """Show the five-minute guide; who may not open a page gets no link to it."""
    context = {
        "steps": newcomers.steps(request.user.has_perm),
        "width": newcomers.WIDTH,
        "height": newcomers.HEIGHT,
    }
    return render(request, "help/guide.html", context)


@login_required
@require_safe
def glossary(request: HttpRequest) -> HttpResponse:
    """Show what the words of the field mean."""
    return render(request, "help/glossary.html", {"terms": words.in_order()})
