"""Japanese addresses as people type them."""

from datetime import date

import pytest

from domain.accounts.addresses import AddressFields
from domain.accounts.details import PersonalDetails
from domain.accounts.japan import PREFECTURES, phone_number, postal_code, prefecture
from domain.shared.refusals import InvalidInput, Refusals

FIELD = ("field",)


@pytest.mark.parametrize(
    "typed",
    [
        "100-0001",
        "1000001",
        "〒100-0001",
        "〒 1000001",
        "１００－０００１",
        "１００ー０００１",
        " 100‐0001 ",
        "100−0001",
    ],
)
def test_a_postal_code_has_one_form(typed: str) -> None:
    assert postal_code(typed, FIELD) == "100-0001"


@pytest.mark.parametrize(
    "typed", ["", "100-001", "100-00011", "10-00001", "SW1A 1AA", "100--0001", "一〇〇", "٣٣٣-٣٣٣٣", "1" * 10_000]
)
def test_what_is_no_postal_code_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        postal_code(typed, FIELD)
    assert (refused.value.code, refused.value.field) == ("INVALID_POSTAL_CODE", FIELD)


def test_there_are_47_prefectures() -> None:
    assert len(PREFECTURES) == len(set(PREFECTURES.values())) == 47
    for name, latin in PREFECTURES.items():
        assert prefecture(name, FIELD) == prefecture(latin.capitalize(), FIELD) == name
        assert prefecture(name if name == "北海道" else name[:-1], FIELD) == name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("京都", "京都府"),
        ("東京", "東京都"),
        ("TOKYO", "東京都"),
        ("Tokyo-to", "東京都"),
        ("Osaka Prefecture", "大阪府"),
        ("kyoto-fu", "京都府"),
    ],
)
def test_a_prefecture_by_another_spelling(typed: str, name: str) -> None:
    assert prefecture(typed, FIELD) == name


@pytest.mark.parametrize("typed", ["", "北海", "California", "東", "都", "to", "東京都千代田区", "x" * 10_000])
def test_what_is_no_prefecture_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        prefecture(typed, FIELD)
    assert refused.value.code == "INVALID_PREFECTURE"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("03-1234-5678", "+81312345678"),
        ("（０３）１２３４−５６７８", "+81312345678"),
        ("090 1234 5678", "+819012345678"),
        ("+81 90-1234-5678", "+819012345678"),
        ("+81 (0)3 1234 5678", "+81312345678"),
        ("050-1234-5678", "+815012345678"),
        ("0120-123-456", "+81120123456"),
        ("0800-123-4567", "+818001234567"),
        ("0570-012-345", "+81570012345"),
        ("09912-3-4567", "+81991234567"),
        ("0466-12-3456", "+81466123456"),
    ],
)
def test_a_phone_number_is_kept_as_e164(typed: str, number: str) -> None:
    assert phone_number(typed, FIELD) == number


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1",
        "12345678",
        "090-123-4567",
        "03-1234-56789",
        "00-1234-5678",
        "+1 415 555 2671",
        "+8190123456789",
        "03-1234-567a",
        "0" * 5_000,
    ],
)
def test_what_is_no_phone_number_of_japan_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        phone_number(typed, FIELD)
    assert refused.value.code == "INVALID_PHONE_NUMBER"


HOME = AddressFields("山田 花子", "1000001", "東京", "千代田区", "千代田1-1", None, "03-1234-5678")


def test_an_address_is_kept_in_one_form() -> None:
    assert HOME.checked() == AddressFields(
        "山田 花子", "100-0001", "東京都", "千代田区", "千代田1-1", None, "+81312345678"
    )
    assert HOME.checked().checked() == HOME.checked()


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(Refusals) as refused:
        AddressFields("", "1", "Texas", "x" * 101, "a\x00b", "‮c", "1").checked()
    assert [(part.code, part.field) for part in refused.value.parts] == [
        ("BAD_USER_INPUT", ("recipientName",)),
        ("INVALID_POSTAL_CODE", ("postalCode",)),
        ("INVALID_PREFECTURE", ("prefecture",)),
        ("BAD_USER_INPUT", ("city",)),
        ("BAD_USER_INPUT", ("line1",)),
        ("BAD_USER_INPUT", ("line2",)),
        ("INVALID_PHONE_NUMBER", ("phoneNumber",)),
    ]


def test_names_keep_their_variants_of_characters() -> None:
    names = PersonalDetails("神\ufa19 葛\U000e0100城 👩‍🍳", None, None, None, None)
    assert names.checked(date(2026, 1, 1)) == names


@pytest.mark.parametrize(
    "wrong",
    [
        PersonalDetails("　", None, None, None, None),
        PersonalDetails("x" * 61, None, None, None, None),
        PersonalDetails("a\nb", None, None, None, None),
        PersonalDetails("\ud800", None, None, None, None),
        PersonalDetails(None, "http://example.com/a.png", None, None, None),
        PersonalDetails(None, "javascript:alert(1)", None, None, None),
        PersonalDetails(None, "https://user:password@example.com/", None, None, None),
        PersonalDetails(None, "https://[::1", None, None, None),
        PersonalDetails(None, "https:///a.png", None, None, None),
        PersonalDetails(None, None, date(2026, 1, 2), None, None),
        PersonalDetails(None, None, date(1899, 12, 31), None, None),
        PersonalDetails(None, None, None, None, "110"),
    ],
)
def test_a_profile_holds_no_nonsense(wrong: PersonalDetails) -> None:
    with pytest.raises(InvalidInput):
        wrong.checked(date(2026, 1, 1))
