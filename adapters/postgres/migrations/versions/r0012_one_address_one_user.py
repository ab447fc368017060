"""An e-mail address is one user's however it is written: `Hanako@` and `hanako@` are one.

The pool compares addresses so too. What the user wrote is kept as it was written.
"""

from alembic import op
from sqlalchemy import text

from adapters.postgres.migrations.script import MigrationRefused, run

revision = "0012"
down_revision = "0011"

CLASHES = "SELECT lower(email) FROM accounts.users GROUP BY 1 HAVING count(*) > 1"


def upgrade() -> None:
    # Nobody may add another clash between the count and the index: the index would say whose address it is.
    run("LOCK TABLE accounts.users IN SHARE ROW EXCLUSIVE MODE")
    clashes = op.get_bind().execute(text(f"SELECT count(*) FROM ({CLASHES}) clashes")).scalar_one()
    if clashes:
        raise MigrationRefused(
            f"e-mail addresses that several users have, written with other capital letters: {clashes}. Nothing was changed."
            " List their rows with `SELECT id, cognito_sub, created_at FROM accounts.users WHERE lower(email) IN"
            f" ({CLASHES}) ORDER BY lower(email), created_at`; leave each address to one user, delete the other rows or give"
            " them addresses of their own, in the user pool too, and migrate again."
        )
    run("DROP INDEX accounts.idx_users_email; CREATE UNIQUE INDEX idx_users_email ON accounts.users (lower(email))")


def downgrade() -> None:
    run("DROP INDEX accounts.idx_users_email; CREATE UNIQUE INDEX idx_users_email ON accounts.users (email)")
