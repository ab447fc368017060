from uuid import UUID
from xml.etree import ElementTree

import pytest

from adapters.images.svg import logo_svg, product_svg

PRODUCTS = [UUID(int=number * 0x9E3779B97F4A7C15 % (1 << 128)) for number in range(200)]
KEYS = ["seller-akane", "brand-marujyu", "banner-akane", 'banner-"><script>alert(1)</script>', "香", ""]


@pytest.mark.parametrize("n", [1, 2, 4])
def test_pictures_of_products_are_small_well_formed_xml(n: int) -> None:
    for product in PRODUCTS:
        picture = product_svg(product, n)
        assert len(picture) < 2_048
        assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("key", KEYS)
def test_logos_are_small_well_formed_xml_without_the_words_of_their_key(key: str) -> None:
    picture = logo_svg(key)
    assert len(picture) < 2_048
    root = ElementTree.fromstring(picture)
    assert all(not (element.text or "").strip() for element in root.iter())
    assert b"script" not in picture


def test_the_same_product_looks_the_same_and_another_does_not() -> None:
    first, second = PRODUCTS[1:3]
    picture = product_svg(first, 1)
    product_svg.cache_clear()
    assert product_svg(first, 1) == picture
    assert product_svg(second, 1) != picture
    assert product_svg(first, 2) != picture
