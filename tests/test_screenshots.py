"""Every page has a picture, or a reason why it has none; and the pictures that return.

The pictures themselves are made by `make screenshots`; one is in tests/browser.
"""

from email import message_from_bytes, policy

import pytest
from django.urls import get_resolver

from campaign import acts
from delivery.inbound.reading import read
from optout import urls_public
from tools.screenshots import album, pages
from tools.screenshots.pages import MissingExample, Shot
from tools.screenshots.returned import kept_in

MAIL = (
    b"Message-ID: <m-1@example.com>\r\nTo: Anna <anna@example.org>\r\n"
    b"Subject: The first seeds\r\n\r\nHello\r\n"
)


def test_every_page_can_be_found_from_the_example_data():
    missing = [
        f"{name} wants {key}: add it to THINGS in tools/screenshots/pages.py"
        for name, keys in pages.pictured().items()
        for key in keys
        if not pages.has_example(name, key)
    ]

    assert missing == []


def test_every_page_has_a_picture_or_a_reason():
    console = {name for name, door in acts.DOORS.items() if door.look is not None}
    public = {name for name, _keys in pages.routes(urls_public.urlpatterns)}

    shown = set(pages.pictured())

    assert shown | set(pages.WITHOUT_PICTURE) == console | public
    assert shown & set(pages.WITHOUT_PICTURE) == set()
    assert {"home", "delivery_detail", "stop", "own_page"} <= shown


def test_pages_that_only_answer_posts_have_no_picture():
    assert acts.DOORS["publish_page"].look is None
    assert "publish_page" not in pages.pictured()


def test_examples_are_of_keys_that_pages_have():
    routes = dict(pages.routes(get_resolver().url_patterns))
    pictured = {name: routes[name] for name in pages.pictured()}
    every_key = {key for keys in pictured.values() for key in keys}

    left_over = []
    for thing in pages.THINGS:
        name, _dot, key = thing.rpartition(".")
        is_used = key in pictured[name] if name else key in every_key
        if not is_used and thing != "sent_delivery_id":
            left_over.append(thing)

    assert left_over == []


def test_page_about_something_unknown_is_named():
    with pytest.raises(MissingExample, match="“burst” wants “burst_id”"):
        pages.path_of("burst", ("burst_id",), {"profile_id": 1})


def test_one_page_may_mean_something_of_its_own():
    known = {"profile_id": 1, "other_id": 3, "merge_profiles.profile_id": 2}
    keys = ("profile_id", "other_id")

    path = pages.path_of("merge_profiles", keys, known)

    assert path == "/console/profiles/2/merge/3/"


def test_index_shows_each_page_in_every_width_and_scheme(tmp_path):
    gone = tmp_path / "gone-360-dark.webp"
    gone.write_bytes(b"")
    shots = [Shot("home", "/console/")]

    album.forget(shots, tmp_path)
    album.write_index(shots, tmp_path)

    text = (tmp_path / "README.md").read_text("utf-8")
    assert not gone.exists()
    assert "| page | 360 light | 360 dark | 1280 light | 1280 dark |" in text
    assert '<a href="home-1280-dark.webp"><img src="home-1280-dark.webp"' in text


def test_mails_that_come_back_are_read_as_what_they_are(tmp_path):
    tmp_path.joinpath("b-token.eml").write_bytes(MAIL)
    [kept] = kept_in(tmp_path)

    bounce = read(kept.bounce("5.1.1", "550 5.1.1 No such user here"))
    complaint = read(kept.complaint())
    reply = message_from_bytes(kept.reply("Stop"), policy=policy.default)

    assert kept.sender == "b-token@example.com"
    assert bounce.kind == "bounce"
    assert [each.recipient for each in bounce.recipients] == ["anna@example.org"]
    assert complaint.kind == "complaint"
    assert (reply["To"], reply["Subject"]) == (kept.sender, "Re: The first seeds")
