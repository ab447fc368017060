"""Generated pictures: the same bytes for the same name, a gradient and a few simple shapes, no words and no scripts.

A name only ever decides numbers, so nothing that a user typed can get into a picture.
"""

from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

KEPT = 2_048
"""Pictures kept in memory, of at most 2 KB each."""
SIDE = 600
BANNER = "banner-"
"""Keys with this prefix are for wide pictures."""


class _Draw:
    """Numbers that follow from a name."""

    def __init__(self, *name: object) -> None:
        self._left = int.from_bytes(blake2b(":".join(map(str, name)).encode(), digest_size=64).digest(), "big")

    def below(self, limit: int) -> int:
        self._left, number = divmod(self._left, limit)
        return number

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)


@lru_cache(maxsize=KEPT)
def product_svg(product_id: UUID, n: int) -> bytes:
    """Picture `n` of a product: every picture of one product shows the same thing in the same colours."""
    look, view = _Draw("product", product_id), _Draw("view", product_id, n)
    hue, form, shade = look.below(360), look.below(len(FORMS)), look.between(38, 60)
    other = (hue + look.between(25, 70)) % 360
    paint = f"hsl({other} {look.between(35, 60)}% {shade}%)"
    size, turn = view.between(88, 112), view.between(-7, 7) if n > 1 else 0
    floor = view.between(430, 470)
    parts = [
        _gradient("b", f"hsl({hue} 32% 95%)", f"hsl({hue} 30% {view.between(80, 88)}%)"),
        _gradient("o", f"hsl({other} 50% {shade + 14}%)", paint),
        f'<rect width="{SIDE}" height="{SIDE}" fill="url(#b)"/>',
        f'<circle cx="{view.between(90, 510)}" cy="{view.between(80, 250)}" r="{view.between(60, 170)}" fill="#fff" opacity=".35"/>',
        f'<path d="M0 {floor}H{SIDE}V{SIDE}H0z" fill="hsl({hue} 26% 76%)" opacity=".55"/>',
        f'<ellipse cx="300" cy="480" rx="{150 * size // 100}" ry="22" fill="#000" opacity=".14"/>',
        f'<g transform="translate(300 300) rotate({turn}) scale({size / 100})" fill="url(#o)">{FORMS[form]}',
        _pattern(look, hue),
        "</g>",
    ]
    return _svg(SIDE, SIDE, parts)


@lru_cache(maxsize=KEPT)
def logo_svg(key: str) -> bytes:
    """The mark of a seller, brand or category: a crest of petals turned about its centre. Banners are waves."""
    draw = _Draw("logo", key)
    hue = draw.below(360)
    if key.startswith(BANNER):
        return _banner(draw, hue)
    petals, reach, width = draw.between(4, 9), draw.between(52, 76), draw.between(16, 34)
    tip = draw.between(0, 30)
    half, waist = reach // 2, width - tip // 2
    petal = f"M0 -18C{width} -{half} {waist} -{reach} 0 -{reach + tip}C-{waist} -{reach} -{width} -{half} 0 -18z"
    turned = "".join(f'<path d="{petal}" transform="rotate({360 * turn / petals:.1f})"/>' for turn in range(petals))
    ground, ink = (f"hsl({hue} 45% 32%)", "#fff") if draw.below(2) else (f"hsl({hue} 40% 94%)", f"hsl({hue} 55% 34%)")
    parts = [
        f'<rect width="240" height="240" rx="48" fill="{ground}"/><g transform="translate(120 120)" fill="{ink}">{turned}',
        f'<circle r="{draw.between(6, 13)}"/>',
        f'<circle r="{108 - draw.below(6)}" fill="none" stroke="{ink}" stroke-width="{draw.between(2, 6)}"/></g>',
    ]
    return _svg(240, 240, parts)


def _banner(draw: _Draw, hue: int) -> bytes:
    """Waves of circles one behind the other (青海波)."""
    step = draw.between(40, 70)
    rings = "".join(
        f'<circle cx="{step}" cy="{step}" r="{step * share // 10}" fill="none" stroke="#fff" stroke-width="3" opacity=".45"/>'
        for share in (10, 7, 4)
    )
    parts = [
        _gradient(
            "b", f"hsl({hue} 45% {draw.between(38, 50)}%)", f"hsl({(hue + 40) % 360} 50% {draw.between(58, 70)}%)"
        ),
        f'<pattern id="w" width="{2 * step}" height="{step}" patternUnits="userSpaceOnUse">{rings}</pattern>',
        '<rect width="1200" height="300" fill="url(#b)"/><rect width="1200" height="300" fill="url(#w)"/>',
        f'<circle cx="{draw.between(800, 1100)}" cy="110" r="{draw.between(50, 80)}" fill="#fff" opacity=".8"/>',
    ]
    return _svg(1200, 300, parts)


FORMS = (
    # a bowl, a bottle, a box, a bag, a round tin, a garment, a vase, a book, a lamp, a cushion
    '<path d="M-150 -40H150C150 90 80 170 40 170H-40C-80 170 -150 90 -150 -40z"/>',
    '<path d="M-30 -190H30V-110C70 -90 80 -60 80 -20V150Q80 170 60 170H-60Q-80 170 -80 150V-20C-80 -60 -70 -90 -30 -110z"/>',
    '<rect x="-140" y="-90" width="280" height="260" rx="14"/><path d="M-155 -110H155V-60H-155z" opacity=".75"/>',
    '<path d="M-130 -50H130L150 170H-150z"/><path d="M-60 -50C-60 -170 60 -170 60 -50" fill="none" stroke="#0005" stroke-width="16"/>',
    '<path d="M-130 -90V130A130 40 0 0 0 130 130V-90z"/><ellipse cy="-90" rx="130" ry="40" opacity=".8"/>',
    '<path d="M-60 -150Q0 -110 60 -150L160 -80L120 -10L95 -30V170H-95V-30L-120 -10L-160 -80z"/>',
    '<path d="M-45 -170H45Q35 -110 60 -60C140 20 110 170 50 170H-50C-110 170 -140 20 -60 -60Q-35 -110 -45 -170z"/>',
    '<rect x="-110" y="-150" width="230" height="320" rx="10"/><path d="M-110 -150h24V170h-24z" fill="#0003"/>',
    '<path d="M-70 -160H70L130 20H-130z"/><path d="M-8 20H8V150H-8z" opacity=".8"/><ellipse cy="158" rx="80" ry="16"/>',
    '<path d="M-140 -120Q0 -150 140 -120Q170 25 140 170Q0 140 -140 170Q-170 25 -140 -120z"/>',
)


def _pattern(draw: _Draw, hue: int) -> str:
    """A band, dots or a seal on the thing itself."""
    light = f"hsl({hue} 60% 92%)"
    kind, y = draw.below(4), draw.between(10, 70)
    if kind == 0:
        return f'<path d="M-78 {y}H78v{draw.between(10, 34)}H-78z" fill="{light}" opacity=".8"/>'
    if kind == 1:
        radius = draw.between(7, 13)
        return "".join(
            f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{light}" opacity=".85"/>' for x in range(-60, 61, 40)
        )
    if kind == 2:
        return f'<circle cy="{y}" r="{draw.between(26, 44)}" fill="{light}" opacity=".85"/><circle cy="{y}" r="16"/>'
    return (
        f'<path d="M-70 {y}q35 -40 70 0t70 0" fill="none" stroke="{light}" stroke-width="12" stroke-linecap="round"/>'
    )


def _gradient(name: str, top: str, bottom: str) -> str:
    return (
        f'<linearGradient id="{name}" x2="0" y2="1"><stop stop-color="{top}"/>'
        f'<stop offset="1" stop-color="{bottom}"/></linearGradient>'
    )


def _svg(width: int, height: int, parts: list[str]) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'.encode()
