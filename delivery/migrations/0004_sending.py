
import datetime
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class AddMessageField(migrations.AddField):
    """Add a column in place: SQLite would build the table anew, in another shape."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        definition, params = schema_editor.column_sql(
            model, model._meta.get_field(self.name)
        )
        table, column = model._meta.db_table, self.name
        schema_editor.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} {definition}", params or None
        )

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "sqlite":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
            return
        model = from_state.apps.get_model(app_label, self.model_name)
        schema_editor.execute(
            f"ALTER TABLE {model._meta.db_table} DROP COLUMN {self.name}"
        )


class Migration(migrations.Migration):

    dependencies = [
        ('delivery', '0003_service'),
        ('optout', '0013_repeated_stops'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('analysis_id', models.BigIntegerField()),
                ('profile_id', models.BigIntegerField()),
                ('number', models.SmallIntegerField(verbose_name='attempt')),
                ('slot_id', models.BigIntegerField()),
                ('started_at', models.DateTimeField(verbose_name='started')),
                ('ended_at', models.DateTimeField(verbose_name='ended')),
                ('outcome', models.SmallIntegerField(choices=[(1, 'Accepted'), (2, 'Refused for now'), (3, 'Refused for good'), (4, 'No answer'), (5, 'Message refused'), (6, 'Server unreachable')], verbose_name='outcome')),
                ('phase', models.SmallIntegerField(choices=[(1, 'Connecting'), (2, 'Greeting'), (3, 'Encryption'), (4, 'Signing in'), (5, 'Sender'), (6, 'Recipient'), (7, 'Announcing the message'), (8, 'Message')], verbose_name='phase')),
                ('reply_code', models.SmallIntegerField(default=0, verbose_name='reply code')),
                ('enhanced', models.CharField(blank=True, max_length=16, verbose_name='status code')),
                ('code', models.CharField(blank=True, max_length=40)),
                ('reply', models.TextField(blank=True, verbose_name='reply')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='DeliveryContent',
            fields=[
                ('delivery', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='content', serialize=False, to='delivery.delivery')),
                ('subject', models.CharField(blank=True, max_length=255, verbose_name='subject')),
                ('html', models.TextField(blank=True, verbose_name='HTML')),
                ('text', models.TextField(blank=True, help_text='Of an email: when empty it is made from the HTML.', verbose_name='text')),
                ('sender', models.CharField(blank=True, help_text='Name <address@example.com>. Empty: the usual sender.', max_length=320, verbose_name='sender')),
                ('reply_to', models.CharField(blank=True, help_text='Where answers go. Empty: to the sender.', max_length=320, verbose_name='reply to')),
                ('is_marketing', models.BooleanField(default=True, help_text='Marketing carries a way out and a postal address.', verbose_name='marketing')),
                ('has_address_in_content', models.BooleanField(default=False, help_text='Tick it when you wrote the postal address yourself.', verbose_name='the address is in the content')),
            ],
            options={
                'verbose_name': 'content of a delivery',
                'verbose_name_plural': 'contents of deliveries',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Lane',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=255, unique=True)),
                ('paused_until', models.DateTimeField()),
                ('failures', models.PositiveSmallIntegerField(default=1)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Part',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_profile_id', models.BigIntegerField()),
                ('last_profile_id', models.BigIntegerField()),
                ('due_at', models.DateTimeField()),
                ('is_done', models.BooleanField(default=False)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Proof',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=320, verbose_name='address')),
                ('profile_id', models.BigIntegerField(null=True)),
                ('sent_at', models.DateTimeField(verbose_name='sent')),
                ('sent_by', models.CharField(max_length=150, verbose_name='by')),
                ('outcome', models.SmallIntegerField(choices=[(1, 'Accepted'), (2, 'Refused for now'), (3, 'Refused for good'), (4, 'No answer'), (5, 'Message refused'), (6, 'Server unreachable')], verbose_name='outcome')),
                ('reply', models.TextField(blank=True, verbose_name='reply')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Slot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('host', models.CharField(max_length=255)),
                ('pid', models.PositiveIntegerField()),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AlterModelOptions(
            name='delivery',
            options={'permissions': [('analyse_delivery', 'Can analyse a delivery'), ('export_log', 'Can export the log of a delivery'), ('confirm_delivery', 'Can confirm a delivery'), ('send_proof', 'Can send proofs')], 'verbose_name': 'delivery', 'verbose_name_plural': 'deliveries'},
        ),
        migrations.AddField(
            model_name='analysis',
            name='version',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='delivery',
            name='confirmed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='confirmed'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='confirmed_by',
            field=models.CharField(blank=True, max_length=150, verbose_name='confirmed by'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='contact_at',
            field=models.DateTimeField(blank=True, help_text='When sending begins. Empty: as soon as it is confirmed.', null=True, verbose_name='contact date'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='expires_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='expires'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='finished_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='sending ended'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='is_in_local_time',
            field=models.BooleanField(default=False, help_text='The contact date is read as the time of day where the recipient lives.', verbose_name='in each recipient’s time zone'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='is_strict',
            field=models.BooleanField(default=False, help_text='Whoever opts out is answered when no message to them is on its way any more. Needs PostgreSQL.', verbose_name='strict'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='started_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='sending began'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='starts_within',
            field=models.DurationField(default=datetime.timedelta(days=1), help_text='When it could not begin so long after the contact date, it waits for a person instead.', verbose_name='starts within'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='status',
            field=models.CharField(choices=[('draft', 'Draft'), ('analysing', 'Being analysed'), ('analysed', 'Analysed'), ('confirmed', 'Confirmed'), ('sending', 'Sending'), ('paused', 'Paused'), ('finished', 'Finished'), ('cancelled', 'Cancelled'), ('failed', 'Failed')], default='draft', max_length=20, verbose_name='status'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='stop_note',
            field=models.TextField(blank=True, verbose_name='why it stopped'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='validity',
            field=models.DurationField(default=datetime.timedelta(days=3, seconds=43200), help_text='What is not sent so long after the contact date expires.', verbose_name='validity'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='version',
            field=models.PositiveIntegerField(default=1),
        ),
        AddMessageField(
            model_name='message',
            name='attempt_count',
            field=models.SmallIntegerField(db_default=0, default=0, verbose_name='attempts'),
        ),
        AddMessageField(
            model_name='message',
            name='due_at',
            field=models.DateTimeField(null=True, verbose_name='due'),
        ),
        migrations.AlterField(
            model_name='message',
            name='status',
            field=models.SmallIntegerField(choices=[(0, 'To send'), (1, 'Excluded'), (2, 'Leased'), (3, 'Sending'), (4, 'Sent'), (5, 'Failed'), (6, 'Unknown'), (7, 'Expired'), (8, 'Cancelled'), (9, 'Excluded after the analysis')], verbose_name='status'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'analysing', 'analysed', 'confirmed', 'sending', 'paused', 'finished', 'cancelled', 'failed'])), name='delivery_delivery_status'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(fields=['analysis_id', 'profile_id'], name='delivery_attempt_message'),
        ),
        migrations.AddField(
            model_name='deliverycontent',
            name='brand',
            field=models.ForeignKey(blank=True, help_text='Its name and postal address stand at the foot of each email.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='optout.brand', verbose_name='brand'),
        ),
        migrations.AddField(
            model_name='part',
            name='analysis',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='delivery.analysis'),
        ),
        migrations.AddField(
            model_name='proof',
            name='delivery',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='proofs', to='delivery.delivery'),
        ),
        migrations.AddField(
            model_name='part',
            name='slot',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='delivery.slot'),
        ),
        migrations.AddIndex(
            model_name='part',
            index=models.Index(condition=models.Q(('is_done', False)), fields=['due_at'], name='delivery_part_open'),
        ),
    ]
