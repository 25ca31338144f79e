import django.db.models.deletion
from django.db import migrations, models


class CreatePartitionedModel(migrations.CreateModel):
    """Create the table in the shape that loading millions of rows at once wants.

    PostgreSQL: partitioned by the analysis, which fills a bare table, builds its key
    afterwards and attaches it: a third less time than inserting under a key.
    SQLite: the rows live in their key, so that there is no second tree to write.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        is_postgresql = schema_editor.connection.vendor == "postgresql"
        shape = "PARTITION BY LIST (analysis_id)" if is_postgresql else "WITHOUT ROWID"
        model = to_state.apps.get_model(app_label, self.name)
        sql, params = schema_editor.table_sql(model)
        schema_editor.execute(f"{sql} {shape}", params or None)


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0001_initial"),
        ("profiles", "0001_initial"),
    ]

    operations = [
        CreatePartitionedModel(
            name='Message',
            fields=[
                ('pk', models.CompositePrimaryKey('analysis_id', 'profile_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('status', models.SmallIntegerField(choices=[(0, 'To send'), (1, 'Excluded'), (2, 'Leased'), (3, 'Sending'), (4, 'Sent'), (5, 'Failed'), (6, 'Unknown'), (7, 'Expired'), (8, 'Cancelled')], verbose_name='status')),
                ('reasons', models.IntegerField(default=0, verbose_name='reasons')),
                ('address', models.TextField(verbose_name='address')),
                ('digest', models.UUIDField(null=True, verbose_name='digest')),
                ('analysis', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='messages', to='delivery.analysis')),
                ('profile', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='messages', to='profiles.profile')),
            ],
            options={
                'verbose_name': 'message',
                'verbose_name_plural': 'messages',
            },
        ),
    ]
