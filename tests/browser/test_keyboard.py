"""Every task without a mouse: one walk from sign-in to a confirmed delivery, and on
every page of the console what a walk cannot try one by one."""

import re

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from delivery.models import Delivery, DeliveryContent
from delivery.states import DeliveryStatus
from optout.models import ConsentEvent, OptOut
from profiles.channels import Channel
from profiles.models import Profile
from tests import factories
from tests.browser import test_every_console_page
from tests.browser.conftest import LONGEST_WAY
from tests.browser.test_every_console_page import PAGES
from tests.delivery.sending_stage import HTML
from tests.test_roles import path_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

world = test_every_console_page.world
long_world = test_every_console_page.long_world
MOST_SAMPLED = 10
# Keeps who hears clicks: pages do not tell it afterwards.
HEAR_CLICKS = """() => {
    window.clicked = [];
    const add = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (type, ...how) {
        if (type === "click" && this instanceof Element) window.clicked.push(this);
        return add.call(this, type, ...how);
    };
}"""
# Lists what keeps a person who has only a keyboard from using the page as it is.
TROUBLES = """most => {
    const NATIVE = "a[href], area[href], button, input:not([type=hidden]), select,"
        + " textarea, summary, iframe, [contenteditable=true]";
    const ROLES = "[role=button], [role=link], [role=checkbox], [role=tab],"
        + " [role=switch], [role=menuitem], [role=option], [onclick]";
    const name = each => each.outerHTML.slice(0, 120);
    const isShown = each => each.checkVisibility({visibilityProperty: true})
        && each.getClientRects().length > 0;
    const canBeUsed = each => isShown(each) && !each.disabled;
    // Of radio buttons of one name Tab finds one, and the arrows the others.
    const isReached = each => each.tabIndex >= 0 && !each.closest("[inert]");
    const look = each => {
        const style = getComputedStyle(each);
        const outline = style.outlineStyle === "none" || style.outlineWidth === "0px"
            ? "" : style.outline;
        return [outline, style.boxShadow].join("|");
    };
    const found = [];
    for (const each of document.querySelectorAll("[tabindex]")) {
        if (each.tabIndex > 0) found.push("positive tabindex: " + name(each));
    }
    const used = [...document.querySelectorAll(NATIVE + ", " + ROLES)];
    const heard = (window.clicked || []).filter(each => each.isConnected
        && !each.matches("form, main, body, html, table, tbody, fieldset, label"));
    for (const each of new Set([...used, ...heard])) {
        if (canBeUsed(each) && !isReached(each)) {
            found.push("not reached by Tab: " + name(each));
        }
    }
    const stops = [...document.querySelectorAll(NATIVE + ", [tabindex]")]
        .filter(each => canBeUsed(each) && isReached(each));
    for (const each of stops) {
        const tab = new KeyboardEvent(
            "keydown", {key: "Tab", code: "Tab", bubbles: true, cancelable: true});
        if (!each.dispatchEvent(tab)) found.push("keeps the Tab: " + name(each));
    }
    const every = Math.max(1, Math.floor(stops.length / most));
    const sample = stops.filter((_each, at) => at % every === 0)
        .filter(each => each.tagName !== "IFRAME").slice(0, most);
    for (const each of sample) {
        document.activeElement.blur();
        const before = look(each);
        each.focus({preventScroll: true});
        if (document.activeElement !== each) found.push("loses focus: " + name(each));
        else if (look(each) === before) found.push("focus unseen: " + name(each));
    }
    document.activeElement.blur();
    return {found, stops: stops.length};
}"""
# Goes to where Tab begins, and gives the places of all stops in the page.
BEGIN = """() => {
    const all = [...document.querySelectorAll("body *")];
    const stops = all.filter(each => each.tabIndex >= 0 && !each.disabled
        && each.matches("a[href], button, input, select, textarea, summary, [tabindex]")
        && each.checkVisibility({visibilityProperty: true}) && each.type !== "hidden"
        && (each.type !== "radio" || each.checked));
    stops[0].focus();
    return stops.map(each => all.indexOf(each));
}"""
# -1 is the page itself: nothing in it.
FOCUSED = """() => [...document.querySelectorAll("body *")]
    .indexOf(document.activeElement)"""
LONG_PAGES = [
    "home",
    "profile",
    "delivery_new",
    "delivery_content",
    "landing_page_texts",
    "quarantine",
    "report_exclusions",
    "admin:auth_user_change",
]


def test_a_day_on_a_telephone_with_a_keyboard_alone(
    page: Page, operator: User, keyboard
) -> None:
    person = factories.make_profile(external_id="P-1", first_name="Anna")
    factories.make_profile(external_id="P-2", first_name="Bo")
    for value in ("gone@example.com", "angry@example.org"):
        factories.make_quarantined_address(value=value)
    delivery = make_written_delivery()
    page.set_viewport_size({"width": 360, "height": 740})

    page.goto("/console/")
    keyboard.write("Username", "operator")
    keyboard.write("Password", "a-long-passphrase")
    page.keyboard.press("Enter")
    keyboard.sees("Home")
    skips_to_the_content(page, keyboard)
    leaves_the_menu_where_it_was_opened(page, keyboard)
    keyboard.press("Menu")
    keyboard.open("Quarantine", link="Quarantine")
    filters_to_one_address(page, keyboard)
    opts_out(page, keyboard, person)
    confirms(page, keyboard, delivery)


def make_written_delivery() -> Delivery:
    delivery = factories.make_analysed_delivery(label="Spring", now=timezone.now())
    DeliveryContent.objects.create(
        delivery=delivery, subject="Hi", html=HTML, has_address_in_content=True
    )
    return delivery


def skips_to_the_content(page: Page, keyboard) -> None:
    page.reload()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def leaves_the_menu_where_it_was_opened(page: Page, keyboard) -> None:
    page.reload()
    menu = page.get_by_role("button", name="Menu", exact=True)
    services = page.get_by_role("link", name="Services", exact=True)
    expect(services).to_be_hidden()
    keyboard.reach(menu)
    for way_out in ("Escape", "Close"):
        page.keyboard.press("Space")
        expect(services).to_be_visible()
        keyboard.reach(services)
        if way_out == "Escape":
            page.keyboard.press("Escape")
        else:
            page.keyboard.press("Shift+Tab")
            keyboard.press("Close")
        expect(services).to_be_hidden()
        expect(menu).to_be_focused()


def filters_to_one_address(page: Page, keyboard) -> None:
    expect(page.locator("tbody tr")).to_have_count(2)
    keyboard.write("Address, or part of it", "gone@")
    keyboard.choose("Status", "Quarantine")
    keyboard.press("Filter")
    expect(page.get_by_role("link", name="Show all")).to_be_visible()
    expect(page.locator("tbody th")).to_have_text(["gone@example.com"])


def opts_out(page: Page, keyboard, person: Profile) -> None:
    keyboard.press("Menu")
    keyboard.open("Profiles", link="Profiles")
    keyboard.write("Search", "P-1")
    page.keyboard.press("Enter")
    keyboard.open("Anna", link="Anna")
    keyboard.tick("Email")
    keyboard.unfold("Reason and evidence")
    keyboard.choose(re.compile("^Reason"), "The person asked by email")
    keyboard.write(re.compile("^Evidence"), "Mail of 3 March")
    keyboard.press("Save")
    keyboard.is_told("Saved")
    assert OptOut.objects.get().channel == Channel.EMAIL
    assert ConsentEvent.objects.get().profile_id == person.pk


def confirms(page: Page, keyboard, delivery: Delivery) -> None:
    keyboard.press("Menu")
    keyboard.open("Deliveries", link="Deliveries")
    keyboard.open("Spring", link="Spring")
    keyboard.open("Confirm", link="Check and confirm")
    warnings = page.locator("main [name=accepted]")
    expect(warnings).to_have_count(2)
    for each in warnings.all():
        keyboard.reach(each)
        page.keyboard.press("Space")
        expect(each).to_be_checked()
    keyboard.press("Confirm and send")
    keyboard.is_told("The delivery is confirmed.")
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.CONFIRMED
    assert delivery.confirmed_by == "operator"


@pytest.mark.parametrize("turn", [0, 1], ids=["telephone", "desk"])
def test_every_page_can_be_used_by_keyboard(signed_in: Page, long_world, turn) -> None:
    signed_in.add_init_script(f"({HEAR_CLICKS})()")
    signed_in.emulate_media(reduced_motion="reduce")
    signed_in.set_viewport_size({"width": [360, 1280][turn], "height": 740})

    found = {}
    for name in PAGES[turn::2]:
        signed_in.goto(path_of(name, long_world))
        signed_in.keyboard.press("Tab")  # from here on focus is shown
        answer = signed_in.evaluate(TROUBLES, MOST_SAMPLED)
        assert answer["stops"] >= 3, name
        if answer["found"]:
            found[name] = answer["found"]

    assert found == {}


BAD = {
    "positive tabindex": '<a href="/" tabindex="2">x</a>',
    "not reached by Tab": '<button tabindex="-1">x</button>',
    "not reached by Tab: <div": '<div onclick="">x</div>',
    "not reached by Tab: <span": "<span>x</span><script>document.querySelector"
    "('span').addEventListener('click', () => 0)</script>",
    "keeps the Tab": "<input><script>document.querySelector('input')"
    ".addEventListener('keydown', event => event.preventDefault())</script>",
    "loses focus": "<input onfocus='this.blur()'>",
    "focus unseen": "<style>a { outline: none !important }</style><a href='/'>x</a>",
}


@pytest.mark.parametrize("trouble", BAD)
def test_bad_page_is_found_out(page: Page, trouble: str) -> None:
    page.add_init_script(f"({HEAR_CLICKS})()")
    bad = {"body": BAD[trouble], "content_type": "text/html"}
    page.route("**/bad", lambda route: route.fulfill(**bad))
    page.goto("/bad")
    page.keyboard.press("Tab")

    [found] = page.evaluate(TROUBLES, MOST_SAMPLED)["found"]

    assert found.startswith(trouble)


@pytest.mark.parametrize("name", LONG_PAGES)
def test_tab_leads_to_everything_and_out_of_the_page(signed_in, long_world, name):
    signed_in.goto(path_of(name, long_world))
    stops = signed_in.evaluate(BEGIN)

    passed = [stops[0]]
    while len(passed) < LONGEST_WAY:
        signed_in.keyboard.press("Tab")
        passed.append(signed_in.evaluate(FOCUSED))
        # Beyond the last one, a browser without a bar begins anew.
        if passed[-1] in {-1, stops[0]}:
            break

    assert len(passed) < LONGEST_WAY, "Tab never leaves the page"
    assert set(stops) - set(passed) == set()
