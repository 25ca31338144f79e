"""Brands: colours that can be read, logos that are pictures."""

import pytest
from django.db import IntegrityError

from optout import contrast, logos
from optout.models import Brand
from tests import factories

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#FFFFFF", 4.48),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_contrast_is_that_of_wcag(first, second, expected):
    assert round(contrast.ratio(first, second), 2) == expected
    assert contrast.ratio(first, second) == contrast.ratio(second, first)


@pytest.mark.parametrize(
    ("field", "colour", "sentence"),
    [
        (
            "light_text",
            "#777777",
            "Light: Text and background have a contrast of 4.47 to 1; at least 4.5 to 1"
            " is needed.",
        ),
        (
            "dark_button_text",
            "#7fd0da",
            "Dark: Label and button have a contrast of 1.00 to 1; at least 4.5 to 1 is"
            " needed.",
        ),
        (
            "light_button",
            "#eeeeee",
            "Light: Button and background have a contrast of 1.16 to 1; at least 3 to 1"
            " is needed.",
        ),
    ],
)
def test_faint_pair_is_named_with_its_contrast(field, colour, sentence):
    brand = Brand(**{field: colour})

    assert brand.contrast_faults()[field] == sentence


def test_colours_of_a_new_brand_can_be_read():
    assert Brand().contrast_faults() == {}


@pytest.mark.django_db
def test_default_brand_is_made_once():
    assert Brand.objects.default() == Brand.objects.default()
    assert Brand.objects.count() == 1


def test_digest_changes_with_colours_and_logo():
    with_logo = Brand()
    with_logo.set_logo(logos.read(PNG))

    brands = [Brand(), Brand(light_text="#000000"), with_logo]

    assert len({brand.digest for brand in brands}) == 3


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89a rest", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
def test_logo_is_known_by_its_first_bytes(data, kind):
    assert logos.read(data).content_type == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?><svg/>",
        b"<!doctype html>",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b" " + PNG,
    ],
    ids=["empty", "svg", "xml", "html", "sound", "behind a space"],
)
def test_anything_else_is_no_logo(data):
    with pytest.raises(logos.LogoError, match="Use PNG, JPEG, WebP or GIF"):
        logos.read(data)


def test_logo_has_200_kilobytes_at_most():
    logos.read(PNG.ljust(200_000, b"0"))
    with pytest.raises(logos.LogoError, match="200 kB or less"):
        logos.read(PNG.ljust(200_001, b"0"))


@pytest.mark.django_db
def test_made_up_type_of_logo_is_refused_by_the_database():
    with pytest.raises(IntegrityError, match="optout_brand_logo_type"):
        factories.make_brand(logo=b"x", logo_type="image/svg+xml")
