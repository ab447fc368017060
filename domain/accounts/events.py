"""What happens to users."""

from domain.shared.events import Event
from domain.shared.ids import UserId


def user_deleted(user_id: UserId) -> Event:
    """An account was deleted. What is kept of the user elsewhere is to be erased."""
    return Event("UserDeleted", "user", user_id, {"userId": str(user_id)})


def user_registered(user_id: UserId) -> Event:
    """A user of the pool was seen here for the first time. Who it is has to be looked up."""
    return Event("UserRegistered", "user", user_id, {"userId": str(user_id)})


def admin_granted(user_id: UserId) -> Event:
    """An operator made a user an admin."""
    return Event("AdminGranted", "user", user_id, {"userId": str(user_id)})


def admin_revoked(user_id: UserId) -> Event:
    """A user is an admin no more: an operator said so, or the user pool's group."""
    return Event("AdminRevoked", "user", user_id, {"userId": str(user_id)})


def user_suspended(user_id: UserId) -> Event:
    """An operator shut a user out. Why is the operator's own words, and goes nowhere."""
    return Event("UserSuspended", "user", user_id, {"userId": str(user_id)})


def user_reinstated(user_id: UserId) -> Event:
    """An operator let a suspended user in again."""
    return Event("UserReinstated", "user", user_id, {"userId": str(user_id)})
