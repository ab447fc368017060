"""What is said no to about orders that were placed: shipping, cancelling, returns, refunds."""

from domain.shared.told import Text

OF_FULFILMENT = {
    "ILLEGAL_MOVE": Text(
        "what is {source} cannot become {target} here",
        "現在の状態（{source}）から{target}へ変更することはできません。",
    ),
    "ALREADY_SHIPPED": Text(
        "some of it was shipped already: ask for a return once it has arrived",
        "すでに発送された商品があるためキャンセルできません。到着後に返品をお申し込みください。",
    ),
    "RETURN_WINDOW_CLOSED": Text(
        "a return can be asked for within {days} days of delivery",
        "返品のお申し込みは、お届けから{days}日以内に限ります。",
    ),
    "REFUND_EXCEEDS": Text(
        "no more than {left} (in minor units) is left to give back",
        "返金できる残額（最小通貨単位で{left}）を超えています。",
    ),
    "NOT_PAID": Text("nothing was paid that could go back", "返金の対象となる支払いがありません。"),
    "return_quantity": Text("{left} of it can be sent back", "返品できる数量は{left}点です。"),
    "refund_amount": Text("an amount above zero is needed", "0より大きい金額を指定してください。"),
    "refund_lost": Text(
        "what was lost is an item, and all of it goes back: name the item and no amount",
        "紛失の返金では商品を指定し、金額は指定しないでください。",
    ),
    "amount_digits": Text(
        "an amount of {currency} has at most {digits} digits after the point",
        "{currency}の金額は小数点以下{digits}桁までで指定してください。",
    ),
}
