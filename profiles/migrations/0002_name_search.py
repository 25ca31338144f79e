"""Indexes for finding people by the beginning of a name, whatever the case.

Each engine needs its own kind: PostgreSQL compares UPPER(name) with LIKE, SQLite's
LIKE uses an index that ignores case. Neither can be said in Meta.indexes for both.
"""

from django.db import migrations

NAMES = ("last_name", "first_name")
MAKE = {
    "postgresql": (
        "CREATE INDEX profiles_profile_{name}_like ON profiles_profile"
        " (UPPER({name}::text) text_pattern_ops)"
    ),
    "sqlite": (
        "CREATE INDEX profiles_profile_{name}_like ON profiles_profile"
        " ({name} COLLATE NOCASE)"
    ),
}


def make_indexes(apps, schema_editor):
    statement = MAKE[schema_editor.connection.vendor]
    for name in NAMES:
        schema_editor.execute(statement.format(name=name))


def drop_indexes(apps, schema_editor):
    for name in NAMES:
        schema_editor.execute(f"DROP INDEX IF EXISTS profiles_profile_{name}_like")


class Migration(migrations.Migration):
    dependencies = [("profiles", "0001_initial")]

    operations = [migrations.RunPython(make_indexes, drop_indexes)]
