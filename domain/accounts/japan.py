"""Japanese postal codes, prefectures and phone numbers, as people type them and as they are kept."""

import re
import unicodedata

from domain.shared.refusals import InvalidInput

POSTAL_CODE = re.compile(r"〒?\s*([0-9]{3})-?([0-9]{4})")
HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–—―−ーｰ－", "-"))
PUNCTUATION = re.compile(r"[\s().-]")
LONG_NUMBER = re.compile(r"0[25-9]0[0-9]{8}")
"""Mobile, IP and free numbers, such as 090, 050 and 0800: eleven digits."""
SHORT_NUMBER = re.compile(r"0[1-9][1-9][0-9]{7}|0[134]0[0-9]{7}")
"""Of places, and such as 0120 and 0570: ten digits."""
MAX_TYPED = 40
"""Characters looked at: no postal code, prefecture or number is longer, however it is spaced."""

PREFECTURES = {
    "北海道": "hokkaido", "青森県": "aomori", "岩手県": "iwate", "宮城県": "miyagi", "秋田県": "akita", "山形県": "yamagata",
    "福島県": "fukushima", "茨城県": "ibaraki", "栃木県": "tochigi", "群馬県": "gunma", "埼玉県": "saitama",
    "千葉県": "chiba", "東京都": "tokyo", "神奈川県": "kanagawa", "新潟県": "niigata", "富山県": "toyama",
    "石川県": "ishikawa", "福井県": "fukui", "山梨県": "yamanashi", "長野県": "nagano", "岐阜県": "gifu",
    "静岡県": "shizuoka", "愛知県": "aichi", "三重県": "mie", "滋賀県": "shiga", "京都府": "kyoto", "大阪府": "osaka",
    "兵庫県": "hyogo", "奈良県": "nara", "和歌山県": "wakayama", "鳥取県": "tottori", "島根県": "shimane",
    "岡山県": "okayama", "広島県": "hiroshima", "山口県": "yamaguchi", "徳島県": "tokushima", "香川県": "kagawa",
    "愛媛県": "ehime", "高知県": "kochi", "福岡県": "fukuoka", "佐賀県": "saga", "長崎県": "nagasaki",
    "熊本県": "kumamoto", "大分県": "oita", "宮崎県": "miyazaki", "鹿児島県": "kagoshima", "沖縄県": "okinawa",
}  # fmt: skip
"""The 47 in the order of JIS X 0401, with their names in Latin letters."""

SPELLINGS = (
    {name: name for name in PREFECTURES}
    | {name[:-1]: name for name in PREFECTURES if name != "北海道"}
    | {latin: name for name, latin in PREFECTURES.items()}
)
LATIN_SUFFIX = re.compile(r"[ -](?:to|fu|ken|prefecture|metropolis)$")


class InvalidPostalCode(InvalidInput):
    """Not seven digits."""

    code = "INVALID_POSTAL_CODE"


class InvalidPrefecture(InvalidInput):
    """None of the 47: a place abroad, or a slip."""

    code = "INVALID_PREFECTURE"


class InvalidPhoneNumber(InvalidInput):
    """No number of Japan."""

    code = "INVALID_PHONE_NUMBER"


def postal_code(typed: str, field: tuple[str, ...]) -> str:
    """`NNN-NNNN`, of any width, with or without 〒 and hyphen. Raises InvalidPostalCode."""
    found = POSTAL_CODE.fullmatch(_narrow(typed))
    if found is None:
        raise InvalidPostalCode(field=field)
    return f"{found[1]}-{found[2]}"


def prefecture(typed: str, field: tuple[str, ...]) -> str:
    """The Japanese name, from it, from it without 都府県, or from Latin letters. Raises InvalidPrefecture."""
    found = SPELLINGS.get(LATIN_SUFFIX.sub("", _narrow(typed).lower()))
    if found is None:
        raise InvalidPrefecture(field=field)
    return found


def phone_number(typed: str, field: tuple[str, ...]) -> str:
    """E.164, such as +81312345678, from a domestic number or one that begins with +81. Raises InvalidPhoneNumber."""
    digits = PUNCTUATION.sub("", _narrow(typed))
    if digits.startswith("+81"):
        digits = "0" + digits[3:].removeprefix("0")
    if not (LONG_NUMBER.fullmatch(digits) or SHORT_NUMBER.fullmatch(digits)):
        raise InvalidPhoneNumber(field=field)
    return "+81" + digits[1:]


def _narrow(typed: str) -> str:
    """In half-width digits and letters, with one kind of hyphen; empty when it is too long to be looked at."""
    return unicodedata.normalize("NFKC", typed.translate(HYPHENS)).strip() if len(typed) <= MAX_TYPED else ""
