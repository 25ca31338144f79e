"""Messages made from content and hostile values."""

import pytest

from delivery.content import Content, ContentError, Recipient, RenderingError
from delivery.content_html import prepared
from delivery.rendering import compile_content

HOSTILE = ["<script>x</script>", "{{7*7}}", '"><img onerror=x>', "a\u202eb", "a\x00b"]


def recipient(**profile):
    return Recipient(profile, "https://u.example/1", "https://p.example/1")


def message(html, **profile):
    compiled = compile_content(Content(channel=0, html=html, is_marketing=False))
    return compiled.render(recipient(**profile))


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stay_text(value):
    html = message('<p title="{{ profile.city }}">{{ profile.city }}</p>', city=value)

    assert "<script" not in html.html
    assert "<img" not in html.html
    assert "49" not in html.html


@pytest.mark.parametrize(
    "html",
    [
        '<a href="{{ profile.city }}">x</a>',
        "<td {% if x %}a{% endif %}>",
        "{{ x",
        "{% if x %}",
        '{% include "x" %}',
        "{{ x | safe }}",
        '<p style="color:{{ x }}">y</p>',
        '{% assign unsubscribe_url = "javascript:1" %}',
        "{% for i in (1..99999999) %}{% endfor %}",
        "&#123;% raw %}{{ <script>x</script> }}{% endraw %}",
        "x" * 102_401,
    ],
)
def test_content_that_cannot_be_trusted_is_refused(html):
    with pytest.raises(ContentError):
        compile_content(Content(channel=0, html=html))


def test_line_ends_in_values_do_not_end_the_subject():
    compiled = compile_content(Content(channel=0, subject="Hi {{ profile.city }}"))

    assert compiled.render(recipient(city="a\r\nBcc: b")).subject == "Hi a Bcc: b"


def test_html_that_grows_too_large_fails_alone():
    with pytest.raises(RenderingError):
        message("{{ profile.city }}", city="x" * 110_000)


def test_preparing_twice_changes_nothing_more():
    source = "<style>p{color:red}</style><p onclick=x>{{ profile.city }} {x}"

    assert prepared(prepared(source)) == prepared(source)


def test_fields_without_default_are_known():
    compiled = compile_content(
        Content(channel=1, text="{{ profile.city }}{{ profile.email | default: 'x' }}")
    )

    assert compiled.bare_fields == {"profile.city"}
