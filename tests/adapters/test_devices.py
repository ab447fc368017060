"""Known devices: what a browser shows to be counted apart from strangers, worth nothing for any other account."""

import string
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.devices import AT_MOST, LIFETIME, LONGEST, DeviceTokens
from adapters.guests import GuestTokens
from tests.watch import Watch

SECRET = "a secret of the tests, long enough"
HANAKO, TARO = "hanako@example.com", "taro@example.com"


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
def devices(clock: Watch) -> DeviceTokens:
    return DeviceTokens(SECRET, clock)


def test_a_device_is_known_to_its_account_alone(devices: DeviceTokens) -> None:
    token = devices.remember(None, HANAKO)
    assert devices.known(token, HANAKO) is not None
    assert devices.known(token, TARO) is None
    assert devices.known(None, HANAKO) is None
    assert "hanako" not in token


def test_each_sign_in_makes_another_device(devices: DeviceTokens) -> None:
    first = devices.remember(None, HANAKO)
    second = devices.remember(first, HANAKO)
    assert len(second) == len(first)  # in place of the other
    assert devices.known(first, HANAKO) != devices.known(second, HANAKO)


def test_a_family_shares_a_browser_and_the_fifth_account_pushes_out_the_first(devices: DeviceTokens) -> None:
    people = [f"person{number}@example.com" for number in range(AT_MOST + 1)]
    token = None
    for person in people:
        token = devices.remember(token, person)
    assert token is not None
    assert len(token) <= LONGEST
    assert [devices.known(token, person) is not None for person in people] == [False] + [True] * AT_MOST


def test_what_another_secret_signed_is_a_strangers(devices: DeviceTokens, clock: Watch) -> None:
    forged = DeviceTokens(SECRET.swapcase(), clock).remember(None, HANAKO)
    assert devices.known(forged, HANAKO) is None


def test_the_secret_of_before_is_still_read(devices: DeviceTokens, clock: Watch) -> None:
    token = devices.remember(None, HANAKO)
    after = DeviceTokens(SECRET.swapcase(), clock, previous=SECRET)
    assert after.known(token, HANAKO) == devices.known(token, HANAKO)


def test_a_guests_token_is_no_devices_and_the_other_way_round(devices: DeviceTokens, clock: Watch) -> None:
    guests = GuestTokens(SECRET, clock)
    _, guest = guests.mint()
    assert devices.known(guest.replace("g1.", "d1.", 1), "") is None
    assert guests.read(devices.remember(None, "").replace("d1.", "g1.", 1)) is None


def test_a_device_is_forgotten_in_the_end(devices: DeviceTokens, clock: Watch) -> None:
    token = devices.remember(None, HANAKO)
    clock.wind(LIFETIME - timedelta(seconds=1))
    assert devices.known(token, HANAKO) is not None
    clock.wind(timedelta(seconds=1))
    assert devices.known(token, HANAKO) is None


@pytest.mark.parametrize("instead", [";", " ", ",", '"', "\r", "\n", "é", "="])
def test_nothing_is_carried_on_that_would_be_read_as_more_of_the_header(devices: DeviceTokens, instead: str) -> None:
    sent = devices.remember(None, TARO)
    twisted = f"{sent[:40]}{instead}{sent[41:]}"
    assert len(devices.remember(twisted, HANAKO)) == len(sent)


@settings(max_examples=50)
@given(st.text(max_size=400) | st.text(alphabet=f"{string.ascii_letters}{string.digits}-_.~", max_size=400))
def test_no_text_breaks_the_reading_or_grows_what_is_handed_out(text: str) -> None:
    devices = DeviceTokens(SECRET, Watch())
    assert devices.known(text, HANAKO) is None
    token = devices.remember(text, HANAKO)
    assert len(token) <= LONGEST
    assert devices.known(token, HANAKO) is not None
    assert set(token) <= {chr(each) for each in range(0x21, 0x7F)} - set('",;\\ ')  # RFC 6265, cookie-octet
