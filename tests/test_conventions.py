"""The rules of the code base that a machine can hold."""

import ast
import re
from itertools import pairwise

import pytest
from django.apps import apps
from django.core.management import call_command

from tests.source import (
    APPS,
    FUNCTIONS,
    ROOT,
    Source,
    app_sources,
    dotted,
    sources,
    templates,
    test_sources,
)

MODEL_APPS = APPS[:-1]
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LONGEST_TEST_FILE = 500
LONGEST_TEMPLATE = 60
MOST_POSITIONAL = 3
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "services", "managers", "misc"}
EMPTY_CLASS_NAME = re.compile(r".+(Manager|Helper|Util|Utils|Service|Handler|Info)$")
EMPTY_FUNCTION_NAMES = {"process", "do", "manage", "run_it", "handle_it", "helper"}


def imported_modules(source: Source) -> list[tuple[ast.AST, str]]:
    """List (node, module) of each import; `from a import b` gives `a` and `a.b`."""
    found: list[tuple[ast.AST, str]] = []
    for node in source.nodes(ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            found += [(node, alias.name) for alias in node.names]
        else:
            module = node.module or ""
            found += [(node, module)]
            found += [(node, f"{module}.{alias.name}") for alias in node.names]
    return found


def test_apps_import_only_what_stands_below_them():
    offenders = [
        f"{source.at(node)} imports {module}"
        for source in app_sources()
        for node, module in imported_modules(source)
        if (imported := module.split(".")[0]) in APPS
        and APPS.index(imported) > APPS.index(source.app)
    ]

    assert offenders == []


def test_apps_never_import_tests_or_tools():
    offenders = [
        f"{source.at(node)} imports {module}"
        for source in app_sources()
        for node, module in imported_modules(source)
        if module.split(".")[0] in {"tests", "tools", "benchmarks"}
    ]

    assert offenders == []


def test_imports_are_absolute():
    offenders = [
        source.at(node)
        for source in sources(*APPS, "tests", "benchmarks", "tools")
        for node in source.nodes(ast.ImportFrom)
        if node.level
    ]

    assert offenders == []


def test_imports_stand_at_the_top_of_the_file():
    # `ready()` is where Django wants checks to be imported.
    offenders = [
        source.at(inner)
        for source in sources(*APPS, "tests", "benchmarks")
        for function in source.nodes(*FUNCTIONS)
        if (source.path.name, function.name) != ("apps.py", "ready")
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]

    assert offenders == []


def test_private_names_stay_in_their_module():
    offenders = [
        f"{source.at(node)} imports {alias.name}"
        for source in sources(*APPS, "tests", "benchmarks")
        for node in source.nodes(ast.ImportFrom)
        if (node.module or "").split(".")[0] in {*APPS, "tests"}
        for alias in node.names
        if alias.name.startswith("_")
    ]

    assert offenders == []


def test_private_names_are_not_reached_through_their_module():
    # Tests may: some compare a short way with the thorough one behind it.
    offenders = []
    for source in sources(*APPS, "benchmarks"):
        ours = {
            alias.asname or alias.name
            for node in source.nodes(ast.ImportFrom)
            if (node.module or "").split(".")[0] in APPS
            for alias in node.names
            if alias.name.islower()
        }
        offenders += [
            f"{source.at(node)} reads {dotted(node)}"
            for node in source.nodes(ast.Attribute)
            if re.match(r"_[a-zA-Z]", node.attr)
            and node.attr not in {"_meta", "_state"}
            and dotted(node.value) in ours
        ]

    assert offenders == []


def test_foreign_keys_point_to_what_stands_below():
    offenders = [
        f"{field}"
        for name in MODEL_APPS
        for model in apps.get_app_config(name).get_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model
        if (target := field.related_model._meta.app_label) in MODEL_APPS
        and MODEL_APPS.index(target) > MODEL_APPS.index(name)
    ]

    assert offenders == []


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_constraints_are_named_after_app_and_model():
    offenders = [
        constraint.name
        for name in MODEL_APPS
        for model in apps.get_app_config(name).get_models()
        for constraint in model._meta.constraints
        if not constraint.name.startswith(f"{name}_{model._meta.model_name}_")
    ]

    assert offenders == []


def test_files_are_named_by_their_subject():
    offenders = [
        source.name
        for source in sources(*APPS, "tests", "benchmarks", "tools", "docs")
        if source.path.stem in EMPTY_NAMES
    ]

    assert offenders == []


def test_classes_are_named_by_what_they_are():
    offenders = [
        f"{source.at(node)} {node.name}"
        for source in app_sources()
        for node in source.nodes(ast.ClassDef)
        if EMPTY_CLASS_NAME.match(node.name)
    ]

    assert offenders == []


def test_functions_are_named_by_what_they_do():
    offenders = [
        f"{source.at(node)} {node.name}"
        for source in app_sources()
        for node in source.nodes(*FUNCTIONS)
        if node.name in EMPTY_FUNCTION_NAMES
    ]

    assert offenders == []


def test_exceptions_say_what_went_wrong():
    """Ends in Error, or states the fact as two words or more (DeliveryNotReady)."""
    offenders = [
        f"{source.at(node)} {node.name}"
        for source in app_sources()
        for node in source.nodes(ast.ClassDef)
        if node.name.endswith("Exception")
    ]

    assert offenders == []


def positional(node: ast.FunctionDef) -> list[tuple[ast.arg, ast.expr | None]]:
    """List the positional arguments with their defaults, without self and cls."""
    arguments = [*node.args.posonlyargs, *node.args.args]
    missing = [None] * (len(arguments) - len(node.args.defaults))
    pairs = list(zip(arguments, [*missing, *node.args.defaults], strict=True))
    return [pair for pair in pairs if pair[0].arg not in {"self", "cls"}]


def is_boolean(argument: ast.arg, default: ast.expr | None) -> bool:
    annotation = argument.annotation
    return (annotation is not None and ast.unparse(annotation) == "bool") or (
        isinstance(default, ast.Constant) and isinstance(default.value, bool)
    )


def test_booleans_are_given_by_name():
    # Django calls the methods of an admin class, and by position.
    offenders = [
        f"{source.at(node)} {node.name}({argument.arg})"
        for source in sources(*APPS, "benchmarks", "tools")
        for node in source.nodes(*FUNCTIONS)
        for argument, default in positional(node)
        if is_boolean(argument, default) and source.path.name != "admin.py"
    ]

    assert offenders == []


def test_functions_take_few_arguments_by_position():
    """Methods are left out: their signature is often the framework's."""
    offenders = [
        f"{source.at(node)} {node.name}"
        for source in sources(*APPS, "benchmarks", "tools")
        for node in source.tree.body
        if isinstance(node, FUNCTIONS) and len(positional(node)) > MOST_POSITIONAL
    ]

    assert offenders == []


def test_functions_are_short():
    offenders = [
        f"{source.at(node)} {node.name} has {length} lines"
        for source in sources(*APPS, "tests", "benchmarks", "tools")
        for node in source.nodes(*FUNCTIONS)
        if (length := node.end_lineno - node.lineno + 1) > LONGEST_FUNCTION
    ]

    assert offenders == []


@pytest.mark.parametrize(
    ("folders", "most"),
    [
        ((*APPS, "benchmarks", "tools"), LONGEST_FILE),
        (("tests",), LONGEST_TEST_FILE),
    ],
    ids=["code", "tests"],
)
def test_files_are_short(folders, most):
    offenders = [
        f"{source.name} has {length} lines"
        for source in sources(*folders)
        if (length := source.text.count("\n")) > most
    ]

    assert offenders == []


def test_only_the_settings_read_the_environment():
    # `os.environ.setdefault` of wsgi.py and asgi.py names the settings themselves.
    entrances = {"campaign/settings.py", "campaign/wsgi.py", "campaign/asgi.py"}
    offenders = [
        f"{source.at(node)} {dotted(node)}"
        for source in app_sources()
        if source.name not in entrances
        for node in source.nodes(ast.Attribute)
        if dotted(node) in {"os.environ", "os.getenv", "environ.Env"}
    ]

    assert offenders == []


def test_nothing_reads_the_settings_module_itself():
    offenders = [
        source.at(node)
        for source in app_sources()
        for node, module in imported_modules(source)
        if module.startswith("campaign.settings")
    ]

    assert offenders == []


def test_apps_call_each_other_without_signals():
    """Only an AppConfig may connect, and only to what Django itself says."""
    offenders = [
        f"{source.at(node)} imports {module}"
        for source in app_sources()
        for node, module in imported_modules(source)
        if module.startswith(("django.dispatch", "django.db.models.signals"))
        and source.path.name != "apps.py"
    ]

    assert offenders == []


def test_no_exception_is_caught_blindly():
    offenders = [
        source.at(node)
        for source in sources(*APPS, "tests", "benchmarks", "tools")
        for node in source.nodes(ast.ExceptHandler)
        if node.type is None or dotted(node.type) in {"Exception", "BaseException"}
    ]

    assert offenders == []


def test_no_test_is_skipped():
    forbidden = re.compile(r"^pytest\.(mark\.)?(skip|skipif|xfail|importorskip)$")
    offenders = [
        f"{source.at(node)} {dotted(node)}"
        for source in test_sources()
        for node in source.nodes(ast.Attribute)
        if forbidden.match(dotted(node))
    ]

    assert offenders == []


def test_tests_are_named_by_a_fact():
    names = [
        (source.at(node), node.name)
        for source in test_sources()
        for node in source.tree.body
        if isinstance(node, FUNCTIONS) and node.name.startswith("test_")
        if source.path.name.startswith("test_")
    ]
    offenders = [pair for pair in names if pair[1].count("_") < 2]

    assert offenders == []


def test_tests_read_only_their_own_data():
    # What stands beside the project is not there in a fresh clone.
    outside = ("../", "/home/", f"{ROOT.parent}/")
    offenders = [
        source.at(node)
        for source in test_sources()
        for node in source.nodes(ast.Constant)
        if isinstance(node.value, str)
        and node.value.startswith(outside)
        and source.path.name != "test_conventions.py"
    ]

    assert offenders == []


def test_templates_are_short_and_name_their_blocks():
    offenders = []
    for path in templates():
        text = path.read_text("utf-8")
        if text.count("\n") > LONGEST_TEMPLATE:
            offenders.append(
                f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines"
            )
        if re.search(r"{% endblock %}", text):
            offenders.append(f"{path.relative_to(ROOT)} has an unnamed endblock")

    assert offenders == []


def test_templates_keep_to_the_content_security_policy():
    forbidden = re.compile(
        r"\sstyle=|\son[a-z]+=[\"']|hx-on|javascript:|<style|<script(?![^>]*\ssrc=)"
    )
    offenders = [
        f"{path.relative_to(ROOT)}: {match.group().strip()}"
        for path in templates()
        if (match := forbidden.search(path.read_text("utf-8")))
    ]

    assert offenders == []


def test_apps_are_installed_in_the_order_of_their_imports():
    installed = [config.label for config in apps.get_app_configs()]
    places = [installed.index(name) for name in MODEL_APPS]

    assert all(first < second for first, second in pairwise(places))
