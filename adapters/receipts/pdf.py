"""A receipt as PDF, in Japanese with English beside it: 領収書, and with a registration number 適格請求書 (a qualified invoice).

The font is one of Adobe's for Japan that every PDF reader has or replaces; none is embedded, so a receipt takes some kilobytes.
"""

import io
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from domain.orders.receipts import Receipt
from domain.shared.money import Money

FONT = "HeiseiKakuGo-W5"
registerFont(UnicodeCIDFont(FONT))
JAPAN = timezone(timedelta(hours=9), "JST")
MISSING = "〓"
"""In the place of what the font's encoding does not have: everything beyond Unicode's first plane."""
LEFT, RIGHT = 0, 2
TEXT = ParagraphStyle("text", fontName=FONT, fontSize=9, leading=13, wordWrap="CJK")
TITLE = ParagraphStyle("title", TEXT, fontSize=18, leading=26, alignment=1)
TOTAL = ParagraphStyle("total", TEXT, fontSize=15, leading=22)
NUMBERS = ParagraphStyle("numbers", TEXT, alignment=RIGHT)
GRID = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, 0), 0.7, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)


def pdf_of(receipt: Receipt) -> bytes:
    """The same bytes for the same receipt."""
    written = io.BytesIO()
    paper = SimpleDocTemplate(
        written,
        pagesize=A4,
        title=f"領収書 {receipt.order_number}",
        author=_known(receipt.seller_name),
        lang="ja",
        invariant=1,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
    )
    paper.build([*_head(receipt), *_lines(receipt), *_taxes(receipt), *_gone_back(receipt)])
    return written.getvalue()


def shown(money: Money) -> str:
    """1,980円, USD 19.80."""
    amount = f"{money.amount:,}"
    return f"{amount}円" if money.currency == "JPY" else f"{money.currency} {amount}"


def _day(moment: datetime) -> str:
    day = moment.astimezone(JAPAN)
    return f"{day.year}年{day.month}月{day.day}日 ({day:%Y-%m-%d})"


def _head(receipt: Receipt) -> list[Any]:
    is_qualified = receipt.registration_number is not None
    title = "領収書（適格請求書） Receipt (qualified invoice)" if is_qualified else "領収書 Receipt"
    facts = [
        f"注文番号 Order: {receipt.order_number}",
        f"領収日 Paid on: {_day(receipt.issued_at)}",
        f"発行者 Issued by: {receipt.seller_name}",
        *([f"登録番号 Registration number: {receipt.registration_number}"] if is_qualified else []),
    ]
    return [
        _text(title, TITLE),
        Spacer(0, 6 * mm),
        _text("宛名 To: ＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿ 様", TEXT),
        Spacer(0, 4 * mm),
        _text(f"合計 Total: {shown(receipt.total)}（税込 tax included）", TOTAL),
        Spacer(0, 2 * mm),
        *(_text(fact, TEXT) for fact in facts),
        Spacer(0, 6 * mm),
    ]


def _lines(receipt: Receipt) -> list[Any]:
    head = ("品名 Item", "数量 Qty", "単価 Unit price", "金額 Amount", "税率 Rate")
    rows = [
        (
            f"{line.name} ※" if line.is_reduced else line.name,
            str(line.quantity),
            shown(line.unit_price),
            shown(line.total),
            f"{line.tax_percent}%",
        )
        for line in receipt.lines
    ]
    fee = [("送料 Shipping", "", "", shown(receipt.shipping_fee), "")] if receipt.shipping_fee.minor else []
    note = "※は軽減税率対象です。 ※ Taxed at the reduced rate."
    notes = [_text(note, TEXT)] if any(line.is_reduced for line in receipt.lines) else []
    return [_table(head, [*rows, *fee], (74, 20, 30, 30, 20)), *notes, Spacer(0, 6 * mm)]


def _taxes(receipt: Receipt) -> list[Any]:
    head = ("税率 Rate", "対象額（税込） Taxable, tax included", "内消費税額 Tax in it")
    rows = [(f"{each.percent}%", shown(each.taxable), shown(each.tax)) for each in receipt.taxes]
    return [_table(head, rows, (30, 80, 64)), Spacer(0, 6 * mm)]


def _gone_back(receipt: Receipt) -> list[Any]:
    if not receipt.refunded.minor:
        return []
    back = [each for each in receipt.taxes if each.refunded.minor]
    rows = [(f"{each.percent}%", shown(each.refunded), shown(each.refunded_tax)) for each in back]
    left = Money(receipt.total.minor - receipt.refunded.minor, receipt.total.currency)
    is_qualified = receipt.registration_number is not None
    title = "返金（適格返還請求書） Refunds (qualified return invoice)" if is_qualified else "返金 Refunds"
    return [
        _text(title, TOTAL),
        _table(("税率 Rate", "返金額（税込） Refunded, tax included", "内消費税額 Tax in it"), rows, (30, 80, 64)),
        *([_text(f"返金日 Refunded on: {_day(receipt.refunded_at)}", TEXT)] if receipt.refunded_at else []),
        _text(f"返金合計 Refunded: {shown(receipt.refunded)}", TEXT),
        _text(f"返金後の金額 After refunds: {shown(left)}", TEXT),
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], widths_mm: Sequence[int]) -> Table:
    """The first column is text, the others numbers. The head comes again on each page."""
    cells = [[_text(cell, NUMBERS if number else TEXT) for number, cell in enumerate(row)] for row in (head, *rows)]
    return Table(cells, [width * mm for width in widths_mm], repeatRows=1, style=GRID)


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(_known(text)), style)


def _known(text: str) -> str:
    return "".join(MISSING if ord(each) > 0xFFFF else each if each.isprintable() else " " for each in text)
