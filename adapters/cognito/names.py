"""What a user pool itself calls a user, by the subject that we know it by."""

from adapters.aws.clients import COGNITO, Aws


async def username_of(aws: Aws, pool_id: str, subject: str) -> str | None:
    """The `Username` that operators' calls take; None for a user who is gone. Raises Unavailable."""
    quoted = subject.replace("\\", "\\\\").replace('"', '\\"')
    async with aws.calling(COGNITO):
        found = await aws.cognito.list_users(UserPoolId=pool_id, Filter=f'sub = "{quoted}"', Limit=1)
    return next((str(user["Username"]) for user in found["Users"]), None)
