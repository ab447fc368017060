"""Users of the demo: three whose names everybody knows, and the crowd."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from types import MappingProxyType

from domain.shared.ids import UserId
from infra.demo.dice import dice, key
from infra.demo.rows import Row
from infra.demo.times import USERS_DAYS, USERS_FROM, between
from infra.demo.words import Term, people

BUYER, SELLER, ADMIN = "buyer@example.com", "seller@example.com", "admin@example.com"
DEMO_NAMES = {BUYER: "山田 花子", SELLER: "あかね工房 店長", ADMIN: "Torii 運営"}
DEMO_JOINED = datetime(2024, 1, 15, 3, tzinfo=UTC)
DEMO_USERS: Mapping[str, UserId] = MappingProxyType(
    {mail: UserId(key(DEMO_JOINED, "demo", mail)) for mail in DEMO_NAMES}
)
"""Ids of the demo accounts by their mail address; whatever the seed, they are these."""

LEAST_USERS = 200
PRODUCTS_PER_USER = 3
USERS_COLUMNS = ("id", "cognito_sub", "email", "phone_number", "email_verified_at", "created_at", "updated_at")
PROFILES_COLUMNS = ("id", "user_id", "display_name", "birth_date", "gender", "preferences", "created_at", "updated_at")
ADDRESSES_COLUMNS = (
    "id", "user_id", "postal_code", "prefecture", "city", "address_line1", "address_line2",
    "phone_number", "is_default", "created_at", "updated_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class User:
    """A user; `index` is negative for the demo accounts."""

    index: int
    id: UserId
    email: str
    joined_at: datetime
    surname: Term
    given: Term

    @property
    def name(self) -> str:
        return f"{self.surname.text} {self.given.text}"

    @property
    def is_woman(self) -> bool:
        """The word list has the men's names first."""
        names = people().given
        return names.index(self.given) >= len(names) // 2


@dataclass(frozen=True, slots=True)
class Address:
    row: Row

    def as_copy(self) -> dict[str, object]:
        """What an order keeps of it."""
        fields = dict(zip(ADDRESSES_COLUMNS, self.row, strict=True))
        kept = ("postal_code", "prefecture", "city", "address_line1", "address_line2", "phone_number")
        return {name: fields[name] for name in kept}


class Accounts:
    """The users of a marketplace of some size, the demo accounts first."""

    def __init__(self, seed: int, products: int) -> None:
        self._seed = seed
        crowd = max(LEAST_USERS, products // PRODUCTS_PER_USER)
        self.demo: Sequence[User] = [_demo_user(index, mail) for index, mail in enumerate(DEMO_NAMES, -len(DEMO_NAMES))]
        self.buyer = self.demo[0]
        self.crowd: Sequence[User] = [_user(seed, index) for index in range(crowd)]

    @property
    def everybody(self) -> Sequence[User]:
        return [*self.demo, *self.crowd]

    def user_rows(self) -> Iterator[Row]:
        for user in self.everybody:
            verified = user.joined_at + timedelta(minutes=3)
            yield (user.id, None, user.email, _mobile(user.index), verified, user.joined_at, verified)

    def profile_rows(self) -> Iterator[Row]:
        for user in self.everybody:
            random = dice(self._seed, "profile", user.email)
            born = date(1950, 1, 1) + timedelta(days=random.randrange(57 * 365))
            gender = "female" if user.is_woman else "male"
            preferences = {"language": "ja", "currency": "JPY", "newsletter": random.random() < 0.4}
            name = DEMO_NAMES.get(user.email) or _display_name(random, user)
            yield (
                key(user.joined_at, self._seed, "profile", user.email), user.id, name,
                born if random.random() < 0.6 else None, gender if random.random() < 0.5 else None,
                preferences, user.joined_at, user.joined_at,
            )  # fmt: skip

    def address_rows(self) -> Iterator[Row]:
        return (address.row for user in self.everybody for address in self.addresses_of(user))

    def address_count(self) -> int:
        return sum(len(self.addresses_of(user)) for user in self.everybody)

    def addresses_of(self, user: User) -> Sequence[Address]:
        """One or two, the default first."""
        random = dice(self._seed, "addresses", user.email)
        count = 2 if random.random() < 0.15 or user is self.buyer else 1
        return [self._address(random, user, number) for number in range(count)]

    def _address(self, random: Random, user: User, number: int) -> Address:
        place = random.choice(people().places)
        quarter = f"{random.choice(place.quarters)}{random.randrange(1, 6)}-{random.randrange(1, 25)}-{random.randrange(1, 20)}"
        room = f"{random.choice(people().buildings)} {random.randrange(1, 10)}{random.randrange(1, 13):02d}"
        at = user.joined_at + timedelta(minutes=10 + 60 * 24 * 30 * number)
        return Address((
            key(at, self._seed, "address", user.email, number), user.id, f"{place.postal}-{random.randrange(1, 9000):04d}",
            place.prefecture, place.city, quarter, room if random.random() < 0.6 else None,
            _mobile(user.index), number == 0, at, at,
        ))  # fmt: skip


def _user(seed: int, index: int) -> User:
    random = dice(seed, "user", index)
    surname, given = random.choice(people().surnames), random.choice(people().given)
    joined = between(random, USERS_FROM, USERS_FROM + timedelta(days=USERS_DAYS))
    email = f"{given.ascii}.{surname.ascii}.{index + 1}@example.com"
    return User(index, UserId(key(joined, seed, "user", index)), email, joined, surname, given)


def _demo_user(index: int, email: str) -> User:
    names = people()
    surname = next(term for term in names.surnames if term.ascii == "yamada")
    given = next(term for term in names.given if term.ascii == "sakura")
    return User(index, DEMO_USERS[email], email, DEMO_JOINED, surname, given)


def _mobile(index: int) -> str:
    """A number that no network gives out."""
    return f"090-0000-{(index * 7919 + 1234) % 10_000:04d}"


def _display_name(random: Random, user: User) -> str:
    """How Japanese shoppers sign: a name, an initial, a nickname or a handle."""
    style = random.random()
    names = people()
    if style < 0.25:
        return user.name
    if style < 0.45:
        return f"{user.given.text}さん" if random.random() < 0.3 else user.given.text
    if style < 0.85:
        return random.choice(names.nickname_heads) + random.choice(names.nickname_tails)
    return f"{random.choice(names.handles)}{random.choice(('', '', '_jp', '77', '0420', '_39'))}"
