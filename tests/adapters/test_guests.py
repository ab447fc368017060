"""Guest identities: made here, and by nobody else."""

import base64
import string
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.guests import SEAL, GuestTokens
from adapters.sealed_ids import MIN_SECRET
from tests.watch import Watch

SECRET = "a secret of the tests, long enough"


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
def guests(clock: Watch) -> GuestTokens:
    return GuestTokens(SECRET, clock)


def test_a_minted_token_names_its_guest(guests: GuestTokens) -> None:
    guest_id, token = guests.mint()
    assert guests.read(token) == guest_id


def test_each_guest_is_another(guests: GuestTokens) -> None:
    assert len({guests.mint()[0] for _ in range(100)}) == 100


def test_a_token_fits_a_cookie_and_a_header_as_it_is(guests: GuestTokens) -> None:
    _, token = guests.mint()
    assert len(token) == SEAL.length == 78
    assert set(token) <= set(f"{string.ascii_letters}{string.digits}-_.")


def test_another_process_with_the_same_secret_reads_it(guests: GuestTokens, clock: Watch) -> None:
    guest_id, token = guests.mint()
    assert GuestTokens(SECRET, clock).read(token) == guest_id


def test_a_token_of_another_secret_names_nobody(guests: GuestTokens, clock: Watch) -> None:
    _, token = GuestTokens(SECRET.swapcase(), clock).mint()
    assert guests.read(token) is None


def test_a_token_lives_for_30_days(guests: GuestTokens, clock: Watch) -> None:
    guest_id, token = guests.mint()
    clock.wind(timedelta(days=30, seconds=-1))
    assert guests.read(token) == guest_id
    clock.wind(timedelta(seconds=1))
    assert guests.read(token) is None


def test_no_character_of_a_token_can_be_changed(guests: GuestTokens) -> None:
    _, token = guests.mint()
    for place, was in enumerate(token):
        for other in "A_.b":
            if other != was:
                assert guests.read(f"{token[:place]}{other}{token[place + 1 :]}") is None


def test_a_longer_life_cannot_be_written_into_a_token(guests: GuestTokens) -> None:
    _, token = guests.mint()
    sealed = bytearray(base64.urlsafe_b64decode(f"{token[3:]}="))
    sealed[16:24] = (2**40).to_bytes(8, "big")
    assert guests.read(f"g1.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}") is None


def test_the_version_is_signed_too(guests: GuestTokens) -> None:
    _, token = guests.mint()
    assert guests.read(token.replace("g1.", "g2.", 1)) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "g1.",
        "g1",
        "g1." + "A" * 75,
        "g1." + "=" * 75,
        "g1." + "客" * 75,
        "g1." + "\ud800" * 75,
        "g1." + "A" * 10**6,
    ],
    ids=["empty", "dot", "version", "no-dot", "zeros", "padding", "kanji", "lone-surrogates", "a-megabyte"],
)
def test_garbage_names_nobody(guests: GuestTokens, token: str) -> None:
    assert guests.read(token) is None


@settings(max_examples=50)
@given(
    st.text(max_size=100) | st.text(alphabet=f"{string.ascii_letters}{string.digits}-_=+/ ", min_size=75, max_size=75)
)
def test_no_text_breaks_the_reading(text: str) -> None:
    guests = GuestTokens(SECRET, Watch())
    assert guests.read(text) is None
    assert guests.read(f"g1.{text}") is None


def test_spaces_around_or_within_are_not_overlooked(guests: GuestTokens) -> None:
    _, token = guests.mint()
    for spelling in (f"{token} ", f" {token}", f"{token[:40]} {token[40:]}", f"{token}=", f"{token[:-1]} "):
        assert guests.read(spelling) is None


def test_a_short_secret_is_refused_at_start(clock: Watch) -> None:
    with pytest.raises(ValueError, match=str(MIN_SECRET)):
        GuestTokens("x" * (MIN_SECRET - 1), clock)


def test_a_token_is_made_anew_when_half_its_life_is_over(guests: GuestTokens, clock: Watch) -> None:
    guest_id, token = guests.mint()
    clock.wind(timedelta(days=15, seconds=-1))
    assert guests.renewed(token) is None
    clock.wind(timedelta(seconds=1))
    renewed = guests.renewed(token)
    assert renewed
    assert guests.read(renewed) == guest_id
    clock.wind(timedelta(days=16))
    assert (guests.read(token), guests.renewed(token), guests.read(renewed)) == (None, None, guest_id)


def test_tokens_of_the_secret_of_before_are_read_and_made_anew(guests: GuestTokens, clock: Watch) -> None:
    guest_id, token = guests.mint()
    after = GuestTokens(SECRET.swapcase(), clock, previous=SECRET)
    assert after.read(token) == guest_id
    renewed = after.renewed(token)
    assert renewed
    assert GuestTokens(SECRET.swapcase(), clock).read(renewed) == guest_id
    assert after.renewed(renewed) is None
    assert after.renewed("garbage") is None
