"""Texts of the products that were there before r0028: by themselves, while shops read and write."""

from adapters.postgres.migrations.script import run

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    run("SELECT catalog.write_texts(ARRAY(SELECT id FROM catalog.products ORDER BY id));")


def downgrade() -> None:
    """The table goes with r0028."""
