"""Doors to people: search, the page of one, quarantine of their addresses, erasure."""

from collections.abc import Sequence
from typing import TypedDict, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.forms.models import ModelChoiceField, ModelChoiceIterator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from delivery import (
    audit,
    erasure,
    past_explanation,
    person_messages,
    profile_page,
    proof,
    timeline,
)
from delivery.explanation import Explanation, explain
from delivery.forms_profiles import (
    EraseForm,
    ExplanationForm,
    QuarantineAllForm,
    SearchForm,
    TimelineForm,
)
from delivery.past_explanation import PastExplanation
from delivery.person_messages import LOOKED_THROUGH, PersonMessage
from optout.forms import BoxesForm
from optout.forms_subscribing import SubscriptionForm
from optout.models import Service
from profiles import showing
from profiles.late_stops import tells_if_late
from profiles.models import Profile
from profiles.paging import page_of
from profiles.searching import LIMIT, search
from quarantine.listing import quarantine_all_addresses
from quarantine.transitions import QuarantineError

_NEWEST = 20


class _Readable(TypedDict):
    write: showing.Writer
    shows_evidence: bool


_PROOF_RIGHTS = ["profiles.view_profile", "optout.view_consentevent"]


@login_required
@permission_required("profiles.view_profile", raise_exception=True)
@require_safe
def profiles(request: HttpRequest) -> HttpResponse:
    """Search people; without a question, list the newest."""
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    context: dict[str, object] = {"form": form, "text": text, "limit": LIMIT}
    if text:
        context["found"] = search(text)
    else:
        context["page"] = page_of(
            Profile.objects.not_erased().prefetch_related("addresses"),
            keys=("id",),
            query=request.GET,
        )
    return render(request, "profiles/profiles.html", context)


@login_required
@permission_required("profiles.view_profile", raise_exception=True)
@require_safe
def profile(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Show all that is known of one person; of one who was merged, who lives on."""
    person = get_object_or_404(Profile, pk=profile_id)
    if person.merged_into_id is not None:
        messages.info(request, _("The profile was merged into this one."))
        return redirect("profile", person.merged_into_id)
    return _show(request, person)


@login_required
@permission_required(
    ["profiles.view_profile", "quarantine.add_quarantinedaddress"], raise_exception=True
)
@require_POST
@tells_if_late
def quarantine_all(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Quarantine every address of one person."""
    person = get_object_or_404(Profile.objects.not_erased(), pk=profile_id)
    form = QuarantineAllForm(request.POST)
    if form.is_valid():
        try:
            count = quarantine_all_addresses(
                person,
                by=request.user.get_username(),
                note=form.cleaned_data["note"],
                now=timezone.now(),
            )
        except QuarantineError as error:
            form.add_error("note", str(error))
        else:
            messages.success(request, _quarantined(count))
            return redirect("profile", person.pk)
    return _show(request, person, quarantine_form=form)


@login_required
@permission_required(
    ["profiles.view_profile", "profiles.erase_profile"], raise_exception=True
)
@require_POST
@tells_if_late
def erase(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Erase one person, after a typed confirmation."""
    person = get_object_or_404(Profile.objects.not_erased(), pk=profile_id)
    form = EraseForm(person, request.POST)
    if form.is_valid():
        try:
            erasure.erase(
                person,
                by=request.user.get_username(),
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except erasure.ErasureError as error:
            form.add_error("reason", str(error))
        else:
            text = _("The person was erased. Nobody can write to their addresses.")
            messages.success(request, text)
            return redirect("profile", person.pk)
    return _show(request, person, erase_form=form)


@login_required
@permission_required(_PROOF_RIGHTS, raise_exception=True)
@require_safe
def consent_proof(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Show the whole ledger of one person, to be printed."""
    return render(
        request, "profiles/proof.html", {"proof": _proof(request, profile_id)}
    )


@login_required
@permission_required(
    [*_PROOF_RIGHTS, "optout.export_consentevent"], raise_exception=True
)
@require_safe
def consent_proof_csv(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Give the same rows as a file; safe to open in a spreadsheet."""
    known = _proof(request, profile_id)
    audit.notes_of(request).count("rows", len(known.rows))
    response = HttpResponse(proof.csv_of(known), content_type="text/csv; charset=utf-8")
    name = f"profile-{profile_id}-consent.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@login_required
@permission_required("profiles.view_profile", raise_exception=True)
@require_safe
def whole_timeline(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Show everything that happened to one person, by the page."""
    person = get_object_or_404(Profile, pk=profile_id)
    kinds = _kinds_for(request)
    form = TimelineForm(request.GET, kinds=kinds)
    kind = form.cleaned_data["kind"] if form.is_valid() else ""
    page = timeline.page_of(
        person.merged_into or person,
        **_readable(request),
        kinds=[kind] if kind else kinds,
        after=request.GET.get("after", ""),
    )
    query = {"kind": kind, "after": page.older}
    context = {
        "profile": person.merged_into or person,
        "form": form,
        "timeline": page,
        "is_first": "after" not in request.GET,
        "kind": kind,
        "older_url": f"?{urlencode(query)}" if page.older else "",
        "has_logs": timeline.Kind.MESSAGE in kinds,
        "looked_through": LOOKED_THROUGH,
    }
    return render(request, "profiles/timeline.html", context)


def _readable(request: HttpRequest) -> _Readable:
    """Say how the timeline is written for whoever asks."""
    may_see_evidence = request.user.has_perm("optout.view_consentevidence")
    return {"write": showing.writer(request), "shows_evidence": may_see_evidence}


def _kinds_for(request: HttpRequest) -> list[str]:
    """List the kinds of entries that somebody may see: messages need their right."""
    may_see_logs = request.user.has_perm("delivery.view_message")
    hidden = frozenset() if may_see_logs else timeline.OF_LOGS
    return [kind for kind in timeline.Kind.values if kind not in hidden]


def _proof(request: HttpRequest, profile_id: int) -> proof.Proof:
    known = get_object_or_404(Profile, pk=profile_id)
    return proof.of(
        known.merged_into or known,
        now=timezone.now(),
        shows_evidence=request.user.has_perm("optout.view_consentevidence"),
    )


def _show(
    request: HttpRequest,
    person: Profile,
    *,
    quarantine_form: QuarantineAllForm | None = None,
    erase_form: EraseForm | None = None,
) -> HttpResponse:
    addresses = profile_page.addresses_of(person)
    subscribing = SubscriptionForm(auto_id="subscribe_%s")
    # Asked for once, not for each time the page looks at them.
    choice = cast(ModelChoiceField[Service], subscribing.fields["service"])
    # One by one: a list would ask for their number as well.
    services = [*iter(cast(ModelChoiceIterator[Service], choice.choices))]
    choice.choices = services
    ask = ExplanationForm(request.GET if "delivery" in request.GET else None)
    gone = list(Profile.objects.filter(merged_into=person).order_by("pk"))
    sent_messages = _messages_for(request, [person, *gone])
    return render(
        request,
        "profiles/profile.html",
        {
            "profile": person,
            "lines": profile_page.address_lines(addresses),
            "others": profile_page.others_with(addresses, profile=person),
            "timeline": timeline.page_of(
                person,
                **_readable(request),
                addresses=addresses,
                gone=gone,
                messages=sent_messages,
                kinds=_kinds_for(request),
                size=_NEWEST,
            ),
            "boxes": BoxesForm(
                person, may_lift=request.user.has_perm("optout.lift_optout")
            ),
            "subscriptions": profile_page.subscriptions_of(person),
            "subscription_form": subscribing,
            "services": services[1:],
            "now": timezone.now(),
            "quarantine_form": quarantine_form or QuarantineAllForm(),
            "erase_form": erase_form or EraseForm(person),
            "ask": ask,
            "sent_messages": person_messages.begun(sent_messages),
            "explanation": _explanation(request, person, ask),
            "past": _past(request, person, ask),
        },
    )


def _messages_for(
    request: HttpRequest, people: Sequence[Profile]
) -> list[PersonMessage]:
    if not request.user.has_perm("delivery.view_message"):
        return []
    return person_messages.latest_of([each.pk for each in people])


def _explanation(
    request: HttpRequest, person: Profile, ask: ExplanationForm
) -> Explanation | None:
    may_ask = request.user.has_perm("delivery.view_delivery")
    if not may_ask or not ask.is_bound or not ask.is_valid():
        return None
    if ask.cleaned_data["on"] is not None:
        return None
    return explain(person, ask.cleaned_data["delivery"], now=timezone.now())


def _past(
    request: HttpRequest, person: Profile, ask: ExplanationForm
) -> PastExplanation | None:
    """Answer for a day that is over, as the explanation does for now."""
    may_ask = request.user.has_perm("delivery.view_message")
    if not may_ask or not ask.is_bound or not ask.is_valid():
        return None
    day = ask.cleaned_data["on"]
    if day is None:
        return None
    return past_explanation.explain(person, ask.cleaned_data["delivery"], day)


def _quarantined(count: int) -> str:
    text = ngettext(
        "%(count)d address is in quarantine now.",
        "%(count)d addresses are in quarantine now.",
        count,
    )
    return text % {"count": count}
