"""Telling operators of a stop that takes effect a little later than it was made."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from profiles import in_flight

_P = ParamSpec("_P")
_View = Callable[Concatenate[HttpRequest, _P], HttpResponseBase]


def tells_if_late(view: _View[_P]) -> _View[_P]:
    """Say so on the page that follows when a stop met a message on its way."""

    @wraps(view)
    def telling(
        request: HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> HttpResponseBase:
        with in_flight.watched() as watch:
            response = view(request, *args, **kwargs)
        if watch.is_late:
            messages.warning(
                request,
                _(
                    "A message was just being sent there. The stop is saved, and takes"
                    " effect within a minute."
                ),
            )
        return response

    return telling
