"""Sessions in DynamoDB, after section 3.1 of the database document.

Differences on purpose: `last_seen_at` says when a session was last used, `revoked_at` that it was ended, and an index by
user, in the order of last use, lists a user's own. Times are numbers, seconds since 1970. `data` is written empty, for there is
nothing to keep in it. In the document `expires_at`, which DynamoDB deletes items by, is 30 minutes after the last use. That is
when a session becomes idle; its refresh token lives on, and what is deleted could be neither listed nor ended. So here
it is the end of the last token that the sign-in can give, and 30 minutes are counted from `last_seen_at`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from botocore.exceptions import ClientError

from adapters.aws.clients import DYNAMODB, Aws, error_code
from adapters.dynamodb.batch import Item, batch_get
from adapters.dynamodb.tables import SESSIONS
from domain.accounts.model import SESSION_LIFE, Session, SessionState, Sighting
from domain.accounts.refusals import SessionNotFound
from domain.shared.clock import Clock
from domain.shared.ids import SessionId, UserId

KEY = "session_id"
LOST = "ConditionalCheckFailedException"

SEEN = """SET user_id = :user, last_seen_at = :at, expires_at = :expires, created_at = if_not_exists(created_at, :created),
    ip_address = :ip, user_agent = :agent, #data = if_not_exists(#data, :data)"""
NOT_REVOKED = "attribute_not_exists(revoked_at) AND (attribute_not_exists(user_id) OR user_id = :user)"
REVOKE = """SET revoked_at = if_not_exists(revoked_at, :at), expires_at = :expires,
    ip_address = :nothing, user_agent = :nothing"""
"""Where it was used from is nobody's business any more."""
PAGE, MAX_PAGES = 100, 10
"""Items of a user looked through for those that were not revoked: 1,000 sign-ins in a month are no person's doing."""


class DynamoSessions:
    """The port SessionStore on the table `{prefix}Sessions`."""

    def __init__(self, aws: Aws, prefix: str, clock: Clock) -> None:
        self._aws = aws
        self._table = SESSIONS.named(prefix)
        self._clock = clock

    async def states(self, ids: Sequence[SessionId]) -> Sequence[SessionState | None]:
        keys = [str(each) for each in ids]
        # Consistent: who has just ended a session must find it ended.
        items = await batch_get(self._aws, self._table, KEY, keys, consistent=True)
        now = self._clock.now()
        return [_state(item) if item and _time(item["expires_at"]) > now else None for item in items]

    async def seen(self, sighting: Sighting) -> SessionState:
        values = {
            ":user": {"S": str(sighting.user_id)},
            ":at": _instant(sighting.at),
            ":expires": _expiry(sighting.signed_in_at + SESSION_LIFE),
            ":created": _instant(sighting.signed_in_at),
            ":ip": _text(sighting.device.ip_address),
            ":agent": _text(sighting.device.user_agent),
            ":data": {"M": {}},
        }
        try:
            async with self._aws.calling(DYNAMODB):
                await self._aws.dynamodb.update_item(
                    **self._item(sighting.session_id),
                    UpdateExpression=SEEN,
                    ExpressionAttributeNames={"#data": "data"},  # a reserved word
                    ConditionExpression=NOT_REVOKED,
                    ExpressionAttributeValues=values,
                )
        except ClientError as error:
            if error_code(error) != LOST:
                raise
            return SessionState(sighting.at, is_revoked=True)
        return SessionState(sighting.at)

    async def revoke(self, session_id: SessionId, user_id: UserId, at: datetime) -> Session:
        # Whoever is signed in has an item. Where it was deleted there is nothing that says whose the session is.
        values = {
            ":user": {"S": str(user_id)},
            ":at": _instant(at),
            ":expires": _expiry(at + SESSION_LIFE),
            ":nothing": _text(None),
        }
        try:
            async with self._aws.calling(DYNAMODB):
                answer = await self._aws.dynamodb.update_item(
                    **self._item(session_id),
                    UpdateExpression=REVOKE,
                    ConditionExpression="user_id = :user",
                    ExpressionAttributeValues=values,
                    ReturnValues="ALL_OLD",
                )
        except ClientError as error:
            if error_code(error) != LOST:
                raise
            raise SessionNotFound from error
        return _session(answer["Attributes"])

    async def of_user(self, user_id: UserId, at_most: int) -> Sequence[Session]:
        now, found = self._clock.now(), list[Session]()
        start: dict[str, Any] = {}
        for _ in range(MAX_PAGES):  # one page, but for who signs in and out all day
            async with self._aws.calling(DYNAMODB):
                answer = await self._aws.dynamodb.query(
                    TableName=self._table,
                    IndexName=SESSIONS.index.name if SESSIONS.index else "",
                    KeyConditionExpression="user_id = :user AND last_seen_at > :since",
                    FilterExpression="attribute_not_exists(revoked_at) AND expires_at > :now",
                    ExpressionAttributeValues={
                        ":user": {"S": str(user_id)},
                        ":since": _instant(now - SESSION_LIFE),
                        ":now": _expiry(now),
                    },
                    ScanIndexForward=False,
                    Limit=PAGE,
                    **start,
                )
            found += map(_session, answer["Items"])
            if len(found) >= at_most or "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found[:at_most]

    def _item(self, session_id: SessionId) -> Item:
        return {"TableName": self._table, "Key": {KEY: {"S": str(session_id)}}}


def _session(item: Item) -> Session:
    return Session(
        id=SessionId(UUID(item[KEY]["S"])),
        user_id=UserId(UUID(item["user_id"]["S"])),
        created_at=_time(item["created_at"]),
        last_seen_at=_time(item["last_seen_at"]),
        ip_address=item["ip_address"].get("S"),
        user_agent=item["user_agent"].get("S"),
    )


def _state(item: Item) -> SessionState:
    return SessionState(_time(item["last_seen_at"]), is_revoked="revoked_at" in item)


def _text(value: str | None) -> dict[str, Any]:
    return {"NULL": True} if value is None else {"S": value}


def _instant(at: datetime) -> Item:
    return {"N": f"{at.timestamp():.6f}"}


def _expiry(at: datetime) -> Item:
    return {"N": str(int(at.timestamp()))}  # whole seconds: DynamoDB takes nothing else for a TTL


def _time(value: Item) -> datetime:
    return datetime.fromtimestamp(float(value["N"]), UTC)
