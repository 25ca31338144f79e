"""Landing pages that operators made, at their own addresses.

With a link of one's own at the end, the page knows whom it is about and writes what
was chosen at once; without one it asks the mailbox. A GET writes nothing.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation.trans_real import parse_accept_lang_header

from optout import (
    limiting,
    page_receiving,
    page_rendering,
    page_submission,
    page_visitors,
    pages,
    public,
    recipients,
    stopping,
    tokens,
)
from optout.asking import Answer
from optout.models import LandingPage
from optout.page_content import PageContent
from optout.page_receiving import Visit
from optout.page_rendering import Shown, Visitor
from optout.page_submission import Sent, is_readable
from optout.pages import LivePage
from optout.planned_changes import PersonState, Submission, lacking
from optout.public_asking import unknown
from optout.public_pages import answer, form_of, ids_in, open_to_all, supported
from optout.recipients import Recipient
from optout.tokens import ExpiredToken, InvalidToken, Purpose
from profiles import in_flight
from profiles.models import Profile

_Form = list[tuple[str, str]]


@open_to_all
def page(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Show a page to somebody who came by no link, and take what they send."""
    live = pages.live_version(public_id, timezone.now())
    if live.version is None:
        return unknown(request)
    shown = page_rendering.of_version(
        live.version, language_of(request, live.version.read())
    )
    if not live.is_open:
        return _closed(live, shown)
    if not shown.content.is_for_anybody:
        return unknown(request)
    form = form_of(request) if request.method == "POST" else []
    action = reverse("public_page", args=[public_id])
    visitor = Visitor(action=action, nonce=stopping.form_nonce(public_id))
    if not form:
        return answer(page_rendering.form(shown, visitor), shown.language)
    return _receive(request, live, shown, form=form)


@open_to_all
def own_page(request: HttpRequest, public_id: str, token: str) -> HttpResponseBase:
    """Show a page to the person of a link, and do what they choose at once."""
    try:
        link = tokens.read(token, Purpose.PREFERENCES, now=timezone.now())
    except ExpiredToken as expired:
        return _built_in(request, recipients.find(expired.link), is_expired=True)
    except InvalidToken:
        return unknown(request)
    who = recipients.find(link)
    if who.is_merged:
        return _built_in(request, who, is_expired=True)
    form = form_of(request) if request.method == "POST" else []
    if "undo" in dict(form):
        with translation.override(supported(request, who.language)):
            return public.take_back(who, dict(form)["undo"])
    live = pages.live_version(public_id, timezone.now())
    profile = Profile.objects.filter(pk=link.profile_id).first()
    if live.version is None or not live.is_open or profile is None:
        return _built_in(request, who)
    content = live.version.read()
    language = content.language_for([who.language, *_accepted(request)])
    shown = page_rendering.of_version(live.version, language)
    visitor = Visitor(
        action=reverse("own_page", args=[public_id, token]),
        nonce=stopping.form_nonce(token),
        masked_address=stopping.mask(link.channel, who.address),
        state=page_visitors.state_of(
            profile, content, is_identified=True, now=timezone.now()
        ),
    )
    if not form:
        return answer(page_rendering.form(shown, visitor), language)
    return _save(who, profile, shown, visitor=visitor, form=form, token=token)


def _built_in(
    request: HttpRequest, who: Recipient, *, is_expired: bool = False
) -> HttpResponse:
    """Serve a link whose page is not there, or that is too old for it, all the same."""
    with translation.override(supported(request, who.language)):
        stop_token = tokens.make(who.link, Purpose.STOP)
        return public.ask(who, stop_token, is_expired=is_expired)


def _save(
    who: Recipient,
    profile: Profile,
    shown: Shown,
    *,
    visitor: Visitor,
    form: _Form,
    token: str,
) -> HttpResponse:
    sent = submission_of(shown.content, form)
    nonce = dict(form).get("form", "")
    wanting = _wanting(shown.content, visitor.state, sent)
    if wanting or not stopping.is_from_form(nonce, token, now=timezone.now()):
        return _again(shown, visitor, sent=sent, wanting=wanting)
    version = shown.page.published_version
    assert version is not None
    with in_flight.watched() as watch:
        events = page_submission.carry_out(
            profile, Sent(version, sent, who.link, shown.language, timezone.now())
        )
    text = page_rendering.confirmation(
        shown,
        masked_address=visitor.masked_address,
        undo=stopping.undo_nonce(*events) if events else "",
        action=visitor.action,
        is_late=watch.is_late,
    )
    return answer(text, shown.language)


def _receive(
    request: HttpRequest, live: LivePage, shown: Shown, *, form: _Form
) -> HttpResponse:
    assert live.page is not None and live.version is not None
    public_id = live.page.public_id
    sent = submission_of(shown.content, form)
    fields = dict(form)
    wanting = _wanting(shown.content, PersonState(), sent)
    is_read = stopping.is_from_form(
        fields.get("form", ""), public_id, now=timezone.now()
    )
    visitor = Visitor(
        action=reverse("public_page", args=[public_id]),
        nonce=stopping.form_nonce(public_id),
    )
    if wanting or not is_read or fields.get("leave_empty"):
        return _again(shown, visitor, sent=sent, wanting=wanting)
    network = limiting.network_of(request)
    told = page_receiving.receive(
        sent, Visit(live.version, shown.language, network, timezone.now())
    )
    if told is Answer.TAKEN:
        needs_mailbox = live.page.is_way_out or shown.content.has_double_opt_in
        text = page_rendering.confirmation(shown, needs_mailbox=needs_mailbox)
        return answer(text, shown.language)
    if told is Answer.TOO_OFTEN:
        return answer(page_rendering.failure(shown), shown.language, status=429)
    return _again(shown, visitor, sent=sent, wanting=("address",))


def _again(
    shown: Shown, visitor: Visitor, *, sent: Submission, wanting: tuple[str, ...]
) -> HttpResponse:
    """Show a page as it was filled in, with what it lacks."""
    again = Visitor(
        visitor.action,
        visitor.nonce,
        visitor.masked_address,
        visitor.state,
        sent,
        page_rendering.faults_of(wanting),
    )
    return answer(page_rendering.form(shown, again), shown.language)


def _wanting(
    content: PageContent, state: PersonState, sent: Submission
) -> tuple[str, ...]:
    odd = [name for name, text in sent.fields.items() if not is_readable(name, text)]
    return (*lacking(content, state=state, sent=sent), *odd)


def submission_of(content: PageContent, form: _Form) -> Submission:
    """Read what was sent; what is no number of ours is passed over."""
    ids = ids_in(form)
    fields = dict(form)
    names = [each.name.value for each in content.fields]
    return Submission(
        channels=frozenset(ids.get("channel", ())),
        services=frozenset(ids.get("service", ())),
        shown_channels=frozenset(ids.get("shown_channel", ())),
        shown_services=frozenset(ids.get("shown_service", ())),
        fields={name: fields[name].strip() for name in names if name in fields},
        agreements=frozenset(ids.get("agreement", ())),
        address=fields.get("address", "").strip()[:320],
        is_all_started="start_all" in fields,
    )


def language_of(request: HttpRequest, content: PageContent) -> str:
    """Choose what `?language=` asks for, else what the browser does."""
    return content.language_for([request.GET.get("language", ""), *_accepted(request)])


def _accepted(request: HttpRequest) -> list[str]:
    header = request.headers.get("Accept-Language", "")
    return [code for code, _weight in parse_accept_lang_header(header)]


def _closed(live: LivePage, shown: Shown) -> HttpResponse:
    assert live.page is not None
    if live.page.closed_url:
        return _elsewhere(live.page)
    return answer(page_rendering.closed(shown), shown.language, status=410)


def _elsewhere(page: LandingPage) -> HttpResponse:
    response = HttpResponseRedirect(page.closed_url)
    response["Cache-Control"] = "no-store"
    return response
