"""The console's brands."""

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from optout import brands
from optout.models import Brand
from optout.page_publishing import PageError
from tests import factories

BRANDS = "/console/pages/brands/"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
SENT = {
    "name": "Shop",
    "sender_name": "The Shop",
    "postal_address": "Box 1",
    "contact": "hello@example.com",
    "privacy_url": "https://example.com/privacy",
    "light_text": "#1c2127",
    "light_background": "#ffffff",
    "light_button": "#0a5c68",
    "light_button_text": "#ffffff",
    "dark_text": "#e9ebee",
    "dark_background": "#1b2026",
    "dark_button": "#7fd0da",
    "dark_button_text": "#0b2226",
}


def picture(data: bytes = PNG, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


def test_brand_is_made_with_its_logo(console: Client) -> None:
    console.post(f"{BRANDS}new/", SENT | {"logo_file": picture()})

    brand = Brand.objects.get()
    assert (brand.name, brand.updated_by) == ("Shop", "operator")
    assert (bytes(brand.logo), brand.logo_type) == (PNG, "image/png")
    assert "The Shop" in console.get(BRANDS).content.decode()


def test_edit_without_a_file_keeps_the_logo(console: Client) -> None:
    console.post(f"{BRANDS}new/", SENT | {"logo_file": picture()})
    brand = Brand.objects.get()

    console.post(f"{BRANDS}{brand.pk}/", SENT | {"name": "Other"})

    brand.refresh_from_db()
    assert (brand.name, bytes(brand.logo)) == ("Other", PNG)
    console.post(f"{BRANDS}{brand.pk}/", SENT | {"removes_logo": "on"})
    brand.refresh_from_db()
    assert (bytes(brand.logo), brand.logo_type) == (b"", "")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<svg onload='alert(1)'/>", "Use PNG, JPEG, WebP or GIF."),
        (PNG.ljust(200_001, b"0"), "Make it 200 kB or less."),
    ],
    ids=["svg", "large"],
)
def test_file_that_is_no_logo_is_refused(console, data, sentence):
    answer = console.post(f"{BRANDS}new/", SENT | {"logo_file": picture(data)})

    assert sentence in answer.content.decode()
    assert not Brand.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"light_text": "#999999"}, "Light: Text and background have a contrast of"),
        ({"dark_button": "#1b2026"}, "Dark: Button and background have a contrast of"),
        ({"light_text": "red"}, "Write a colour as #"),
        ({"light_text": "#0;}b{}"}, "Write a colour as #"),
        ({"light_text": "#00000g"}, "Write a colour as #"),
        ({"privacy_url": "http://example.com/"}, "begins with https://"),
        ({"privacy_url": "javascript:alert(1)"}, "privacy_url_error"),
        ({"contact": "javascript:alert(1)"}, "Write an email address, or"),
        ({"contact": "javascript://example.com/%0Aalert(1)"}, "Write an email address"),
        ({"contact": "http://example.com/"}, "Write an email address, or"),
        ({"contact": "hello"}, "Write an email address, or"),
    ],
    ids=str,
)
def test_wrong_brand_is_refused_with_the_cure(console, change, sentence):
    answer = console.post(f"{BRANDS}new/", SENT | change)

    assert sentence in answer.content.decode()
    assert not Brand.objects.exists()


@pytest.mark.parametrize("contact", ["", "https://example.com/help", "a@example.com"])
def test_contact_is_a_mailbox_or_a_page(console, contact):
    console.post(f"{BRANDS}new/", SENT | {"contact": contact})

    assert Brand.objects.get().contact == contact


def test_brand_of_a_published_page_keeps_its_postal_address(console: Client) -> None:
    brand = factories.make_brand()
    factories.make_landing_page(brand=brand, is_published=True)

    answer = console.post(f"{BRANDS}{brand.pk}/", SENT | {"postal_address": " "})

    assert "needs its postal address" in answer.content.decode()
    brand.refresh_from_db()
    assert brand.postal_address == "Box 1, Umeå"


def test_faint_brand_is_refused_without_a_form_as_well(db: None) -> None:
    brand = factories.make_brand()
    brand.light_text = "#ffffff"

    with pytest.raises(PageError, match="Light: Text and background"):
        brands.save(brand, by="ola", now=factories.CREATED_AT)


@pytest.mark.parametrize(
    ("rights", "listed", "edited"),
    [
        ([], 403, 403),
        (["view_brand"], 200, 403),
        (["view_brand", "change_brand"], 200, 200),
    ],
    ids=str,
)
def test_brands_need_their_rights(client, onlooker, rights, listed, edited):
    brand = factories.make_brand()
    onlooker.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(onlooker)

    assert client.get(BRANDS).status_code == listed
    assert client.get(f"{BRANDS}{brand.pk}/").status_code == edited
    assert client.get(f"{BRANDS}new/").status_code == 403


def test_list_without_brands_says_what_to_do(console: Client) -> None:
    assert "No brand yet" in console.get(BRANDS).content.decode()
