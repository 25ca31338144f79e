"""No question, however wrong, breaks a page of the console: each gets an answer."""

import re
from urllib.parse import urlencode

import pytest
from django.test import Client

from campaign import acts
from tests import test_roles, test_weight
from tests.test_roles import answer_of, path_of

pytestmark = pytest.mark.django_db

VALUES = {
    "text": "no-such-thing",
    "huge": "9" * 30,
    "more than a column holds": str(2**63),
    "negative": "-1",
    "fraction": "1.5",
    "no day of the calendar": "2026-02-31",
    "last moment": "9999-12-31T23:59:59.999999-12:00",
    "first moment": "0001-01-01T00:00:00+14:00",
    "null": "a\0",
    "long": "x" * 10_000,
    "marks": "'\"><b>%s %_\\{{ 1 }}",
    "other digits": "٣²",
}
# The worst of them, which are tried with everything else as it is usual.
ALONE = ("more than a column holds", "no day of the calendar", "first moment", "null")
# What pages ask for without showing a field, and what is asked of any.
UNSEEN = ("after", "before", "page", "order", "part", "profile", "table", "next")
# Places in lists that are ordered by a moment, or by a reason, and then by a number.
PLACES = [
    f"{VALUES['last moment']}~1",
    f"{VALUES['first moment']}~1",
    f"2026-02-31~{VALUES['huge']}",
    f"2026-02-28T12:00:00~{VALUES['more than a column holds']}",
    "2026-02-28~x\0",
    "~",
]
ANSWERS = {200, 302, 400, 404}
FORM = re.compile(r'<form(?![^>]* action)[^>]* method="get".*?</form>', re.DOTALL)
FIELD = re.compile(r'<(?:input|select|textarea)[^>]* name="([^"]+)"')

world = test_roles.world
reader = test_weight.reader

# The records are pages of Django.
LOOKS = [
    name
    for name, door in acts.DOORS.items()
    if door.look is not None and not name.startswith("admin:")
]


def test_every_wrong_question_is_answered(
    reader: Client, world: dict[str, int | str]
) -> None:
    reader.raise_request_exception = False
    paths = [path_of(name, world).partition("?")[0] for name in LOOKS]
    asked = {path: questions(path, reader) for path in paths}

    wrong = {
        (path, query[:200]): status
        for path in paths
        for query in asked[path]
        for status, _location, _rows in [answer_of(reader, "get", f"{path}?{query}")]
        if status not in ANSWERS
    }

    assert wrong == {}
    assert sum(map(bool, asked.values())) > 20


def questions(path: str, client: Client) -> list[str]:
    """Give queries with each wrong value; none for a page that reads no query."""
    page = client.get(path)
    if page.streaming:
        b"".join(page.streaming_content)
    if "GET" not in vars(page.wsgi_request):
        return []
    forms = [] if page.streaming else FORM.findall(page.text)
    own = sorted(set(FIELD.findall(" ".join(forms))))
    values = list(VALUES.values())
    asked = [{name: VALUES[key]} for name in own for key in ALONE]
    # In one question every field has another value, in the next the one after it.
    turns = range(len(values) if own else 0)
    asked += [dict(zip(own, values[turn:] + values, strict=False)) for turn in turns]
    asked += [dict.fromkeys(UNSEEN, VALUES[key]) for key in ALONE]
    asked += [{"after": place} for place in PLACES] + [{"before": PLACES[0]}]
    twice = urlencode({name: ["1", "x"] for name in own}, doseq=True)
    return [*map(urlencode, asked), twice, "%00=%00&%FF=%FF&=&&", "after&before"]
