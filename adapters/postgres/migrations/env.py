"""Where Alembic starts: runs the revisions on the connection that `adapters.postgres.migrate` hands over.

A revision waits for a lock so long and no longer: whoever wants a table after it waits behind it, which is all of the shop. It gets
none, and is undone, while a long transaction has the table; `migrate` tries again. One that has to wait longer sets `lock_timeout`
itself, by `SET LOCAL`, and says why.
"""

from alembic import context

connection = context.config.attributes["connection"]
lock_ms = int(context.config.attributes.get("lock_ms", 0))
connection.exec_driver_sql(f"SET lock_timeout = {lock_ms}")
connection.commit()
context.configure(connection=connection, version_table_schema="public", transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
