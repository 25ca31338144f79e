"""Doors to the quarantine: list, add, edit, release."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from profiles import showing
from profiles.channels import Channel
from profiles.late_stops import tells_if_late
from profiles.paging import page_of
from profiles.searching import row_ids
from quarantine import browsing, listing
from quarantine.forms import AddForm, FilterForm, ReleaseForm, StatusForm
from quarantine.models import QuarantinedAddress
from quarantine.outlook import outlook
from quarantine.reasons import STRENGTH, Reason, Status
from quarantine.release import ReleaseResult, release
from quarantine.transitions import QuarantineError

# More than one page of the list never comes from a person.
MOST_AT_ONCE = 1000


def _may_release_denylisted(user: AbstractBaseUser | AnonymousUser) -> bool:
    return cast(User, user).has_perm("quarantine.release_denylisted")


@login_required
@permission_required("quarantine.view_quarantinedaddress", raise_exception=True)
@require_safe
def addresses(request: HttpRequest) -> HttpResponse:
    """List addresses, narrowed by the filters in the query."""
    form = FilterForm(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    page = page_of(
        browsing.filtered(**chosen, finds_parts=showing.may_read(request)),
        keys=("updated_at", "id"),
        query=request.GET,
    )
    lines = browsing.lines(
        page.rows, may_release_denylisted=_may_release_denylisted(request.user)
    )
    return render(
        request,
        "quarantine/addresses.html",
        {
            "form": form,
            "page": page,
            "lines": lines,
            "is_filtered": any(value not in ("", None) for value in chosen.values()),
            "can_release_any": any(not line.refusal for line in lines),
            "release_form": ReleaseForm(),
        },
    )


@login_required
@permission_required("quarantine.add_quarantinedaddress", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
@tells_if_late
def add(request: HttpRequest) -> HttpResponse:
    """List an address by hand."""
    form = AddForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _may_set(request, form, row=form.known_row):
        chosen = form.cleaned_data
        try:
            row = listing.list_address(
                Channel(chosen["channel"]),
                chosen["address"],
                Status(chosen["status"]),
                reason=Reason(chosen["reason"]),
                note=chosen["note"],
                by=request.user.get_username(),
                now=timezone.now(),
            )
        except QuarantineError as error:
            form.add_error("address", str(error))
        else:
            messages.success(request, _saved(request, row))
            return redirect("quarantine_address", row.pk)
    return render(request, "quarantine/add.html", {"form": form})


@login_required
@permission_required("quarantine.view_quarantinedaddress", raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
@tells_if_late
def address(request: HttpRequest, address_id: int) -> HttpResponse:
    """Show an address with its history; by POST, edit its status."""
    row = get_object_or_404(QuarantinedAddress, pk=address_id)
    if request.method == "POST":
        return _edit(request, row)
    return _show(request, row, StatusForm(initial=_initial(row)))


@permission_required("quarantine.change_quarantinedaddress", raise_exception=True)
def _edit(request: HttpRequest, row: QuarantinedAddress) -> HttpResponse:
    form = StatusForm(request.POST)
    if form.is_valid() and _may_set(request, form, row=row):
        try:
            row = listing.relist_address(
                row,
                Status(form.cleaned_data["status"]),
                reason=Reason(form.cleaned_data["reason"]),
                note=form.cleaned_data["note"],
                by=request.user.get_username(),
                now=timezone.now(),
            )
        except QuarantineError as error:
            form.add_error("status", str(error))
        else:
            messages.success(request, _saved(request, row))
            return redirect("quarantine_address", row.pk)
    return _show(request, row, form)


def _may_set(
    request: HttpRequest, form: StatusForm, *, row: QuarantinedAddress | None
) -> bool:
    # A weaker status is a release by another name.
    is_weaker = (
        row is not None
        and STRENGTH[Status(row.status)]
        > (STRENGTH[Status(form.cleaned_data["status"])])
    )
    if row is None or not is_weaker:
        return True
    if not request.user.has_perm("quarantine.release_quarantinedaddress"):
        form.add_error(
            "status",
            _(
                "The address is held with a stronger status, and your account lacks"
                " the right to release addresses. Ask somebody who has it."
            ),
        )
        return False
    if row.status == Status.DENYLISTED and not _may_release_denylisted(request.user):
        text = _("A denylisted address needs the right to release those. Ask for it.")
        form.add_error("status", text)
        return False
    if not form.cleaned_data["note"].strip():
        text = _("A weaker status is a release: write why, with what shows it.")
        form.add_error("note", text)
        return False
    return True


def _show(
    request: HttpRequest, row: QuarantinedAddress, form: StatusForm
) -> HttpResponse:
    [line] = browsing.lines(
        [row], may_release_denylisted=_may_release_denylisted(request.user)
    )
    return render(
        request,
        "quarantine/address.html",
        {
            "line": line,
            "row": row,
            "form": form,
            "history": browsing.history(row),
            "outlook": outlook(row),
            "soft_limit": settings.QUARANTINE_SOFT_LIMIT,
            "carriers": browsing.carriers(row),
            "release_form": ReleaseForm(auto_id="id_release_%s"),
        },
    )


@login_required
@permission_required(
    [
        "quarantine.view_quarantinedaddress",
        "quarantine.release_quarantinedaddress",
    ],
    raise_exception=True,
)
@require_POST
def release_addresses(request: HttpRequest) -> HttpResponse:
    """Release the addresses that were ticked; ask again where the reason is missing."""
    rows = _ticked(request.POST)
    if not rows:
        messages.warning(
            request, _("Nothing was released: no address was ticked. Tick some first.")
        )
        return redirect("quarantine")
    if len(rows) > 1 and not request.user.has_perm("quarantine.release_many"):
        messages.error(
            request,
            _(
                "Nothing was released: your account may release one address at a time."
                " Tick one, or ask somebody with the right to release many."
            ),
        )
        return redirect("quarantine")
    may_release_denylisted = _may_release_denylisted(request.user)
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        lines = browsing.lines(rows, may_release_denylisted=may_release_denylisted)
        page = {"lines": lines, "release_form": form}
        return render(request, "quarantine/release.html", page)
    result = release(
        rows,
        by=request.user.get_username(),
        note=form.cleaned_data["note"],
        may_release_denylisted=may_release_denylisted,
        now=timezone.now(),
    )
    _report(request, result)
    return redirect("quarantine")


def _ticked(post: QueryDict) -> list[QuarantinedAddress]:
    ids = row_ids(post.getlist("address"))
    return list(QuarantinedAddress.objects.filter(pk__in=ids[:MOST_AT_ONCE]))


def _report(request: HttpRequest, result: ReleaseResult) -> None:
    if result.released:
        text = ngettext(
            "%(count)d address was released.",
            "%(count)d addresses were released.",
            result.released,
        )
        messages.success(request, text % {"count": result.released})
    for sentence, count in result.refused.items():
        text = ngettext(
            "%(count)d address was not released. %(why)s",
            "%(count)d addresses were not released. %(why)s",
            count,
        )
        messages.warning(request, text % {"count": count, "why": sentence})


def _initial(row: QuarantinedAddress) -> dict[str, object]:
    return {"status": row.status, "reason": row.reason, "note": ""}


def _saved(request: HttpRequest, row: QuarantinedAddress) -> str:
    return _("Saved: %(address)s is now “%(status)s”.") % {
        "address": showing.address(request, row.channel, row.address),
        "status": row.get_status_display(),
    }
