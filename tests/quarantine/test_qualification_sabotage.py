"""Qualification broken on purpose: the table of samples must notice each break.

A break is a piece of the source written otherwise, run as a module of its own.
"""

import inspect
import sys
import types

import pytest

from quarantine import qualification
from tests.quarantine.qualification_samples import SAMPLES

SOURCE = inspect.getsource(qualification)
BREAKS = {
    "the Status is asked before the words": (
        'candidates = [*found, stated[0] if stated else ""]',
        'candidates = [stated[0] if stated else "", *found]',
    ),
    "a code that says nothing is believed": (
        'SAYS_NOTHING: Final = frozenset({"", "0.0", "2.0", "5.0", "1.0", "0.1"})',
        'SAYS_NOTHING: Final = frozenset({""})',
    ),
    "a bare refusal is hard": (
        "return _made((Verdict.SOFT, Reason.NOT_DEFINED), said)",
        "return _made((Verdict.HARD, Reason.USER_UNKNOWN), said)",
    ),
    "what says nothing counts": (
        "return Qualification(Verdict.IGNORED, Reason.NOT_DEFINED)",
        "return Qualification(Verdict.SOFT, Reason.NOT_DEFINED)",
    ),
    "policy is hard": (
        "_POLICY: Final = (Verdict.POLICY, Reason.REFUSED)",
        "_POLICY: Final = (Verdict.HARD, Reason.REFUSED)",
    ),
    "our own fault is policy": (
        "_OURS: Final = (Verdict.OURS, Reason.REFUSED)",
        "_OURS: Final = (Verdict.POLICY, Reason.REFUSED)",
    ),
    "content counts": (
        "_CONTENT: Final = (Verdict.CONTENT, Reason.REFUSED)",
        "_CONTENT: Final = (Verdict.SOFT, Reason.REFUSED)",
    ),
    "full for good counts once": (
        "weight=2 if is_full_for_good else 1",
        "weight=1",
    ),
    "full for now counts twice": (
        'said.enhanced == "5.2.2"',
        'said.subject == "2.2"',
    ),
    "a full mailbox is hard": (
        '"2.2": (Verdict.SOFT, Reason.MAILBOX_FULL)',
        '"2.2": (Verdict.HARD, Reason.MAILBOX_FULL)',
    ),
    "no host is hard at once": (
        '"1.2": (Verdict.UNSURE, Reason.INVALID_DOMAIN)',
        '"1.2": (Verdict.HARD, Reason.INVALID_DOMAIN)',
    ),
    "no host by 5.4.4 is only unreachable": (
        '"4.4": (Verdict.UNSURE, Reason.INVALID_DOMAIN)',
        '"4.4": _UNREACHABLE',
    ),
    "the owner may change unseen": (
        '"7.17": (Verdict.OWNER_CHANGED, Reason.OWNER_CHANGED)',
        '"7.17": _POLICY',
    ),
    "our daily limit is the network's": ('"4.5": _OURS', '"4.5": _UNREACHABLE'),
    "innocent words are not believed": ("if family in _INNOCENT:", "if False:"),
    "a disabled account excuses a certain code": (
        "return not (is_certain and family is texts.DISABLED)",
        "return True",
    ),
    "no words are believed against policy": (
        "return family in _INNOCENT or family in {texts.NULL_MX, texts.MOVED}",
        "return False",
    ),
    "no words are believed against a code of our own": (
        "if verdict in {Verdict.OURS, Verdict.TRANSIENT, Verdict.CONTENT}:",
        "if verdict in {Verdict.OURS, Verdict.TRANSIENT}:",
    ),
    "words are believed against a code of the sender": (
        "and said.subject not in _OF_SENDER",
        "",
    ),
    "the enhanced code decides whether to try again": (
        "first = str(self.basic)[:1] if self.basic else self.enhanced[:1]",
        "first = self.enhanced[:1] or str(self.basic)[:1]",
    ),
    "what was given up is of no account": (
        "return Qualification(Verdict.SOFT, _temporary_reason(said), code=",
        "return Qualification(Verdict.TRANSIENT, _temporary_reason(said), code=",
    ),
    "a code of success counts": ('if said.enhanced.startswith("2."):', "if False:"),
    "a host that takes no mail is passed over": (
        "_TAKES_NO_MAIL: Final = frozenset({521, 556})",
        "_TAKES_NO_MAIL: Final = frozenset()",
    ),
    "only words of hosts are believed of 5.2.1": (
        'if said.subject in {"2.1", "4.1", "4.4"} or not is_certain:',
        "if False:",
    ),
}


def broken(was: str, becomes: str) -> types.ModuleType:
    assert SOURCE.count(was) == 1, was
    module = types.ModuleType("quarantine.broken_qualification")
    # A dataclass looks up its module by name.
    sys.modules[module.__name__] = module
    exec(SOURCE.replace(was, becomes), module.__dict__)
    return module


def wrong(module: types.ModuleType) -> list[str]:
    return [
        text
        for text, status, (verdict, reason, weight) in SAMPLES
        if (made := module.qualify(text, status=status))
        and (made.verdict, made.reason, made.weight) != (verdict, reason, weight)
    ]


@pytest.fixture(autouse=True)
def no_module_stays():
    yield
    sys.modules.pop("quarantine.broken_qualification", None)


def test_nothing_is_wrong_with_the_source_as_it_is():
    assert wrong(broken("class Stage(IntEnum):", "class Stage(IntEnum):")) == []


@pytest.mark.parametrize("name", BREAKS)
def test_sample_notices_the_break(name):
    assert wrong(broken(*BREAKS[name])) != []
