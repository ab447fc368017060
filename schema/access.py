"""Who may see a field. Every field names one of these; a schema with a field that names none does not build."""

from enum import StrEnum


class Access(StrEnum):
    PUBLIC = "public"
    OWNER = "owner"
    """Whoever the object belongs to: the buyer of an order, the owner of a cart; and admins."""


PUBLIC = Access.PUBLIC
OWNER = Access.OWNER
