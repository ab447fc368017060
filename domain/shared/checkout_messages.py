"""What is said no to at the checkout."""

from domain.shared.told import Text

OF_CHECKOUT = {
    "CART_EMPTY": Text("the cart is empty", "カートに商品がありません。"),
    "ADDRESS_INCOMPLETE": Text(
        "this address has no name of who receives it: add it",
        "お届け先の氏名が登録されていません。氏名を追加してください。",
    ),
    "address_and_id": Text(
        "name one of your addresses or write one: one of the two",
        "お届け先は、登録済みの住所か新しい住所のどちらか一方を指定してください。",
    ),
    "guest_address": Text("write an address and a mail address", "お届け先とメールアドレスを入力してください。"),
    "quote_hash": Text("a quote's hash has 64 characters", "quoteHashは64文字です。"),
    "order_not_found": Text(
        "no order has this number and mail address", "この注文番号とメールアドレスに一致する注文が見つかりません。"
    ),
    "AMOUNT_TOO_SMALL": Text(
        "at least {least} {currency} can be paid by card", "お支払いは{least} {currency}以上から承ります。"
    ),
    "TOO_MANY_UNITS": Text(
        "at most {most} units can be ordered at once: order the rest when these are paid",
        "一度に注文できるのは合計{most}点までです。お支払いが済んでから残りをご注文ください。",
    ),
    "TOO_MUCH_UNPAID": Text(
        "too much was ordered from your network and not paid yet: pay for it, sign in, or try again in half an hour",
        "お使いのネットワークからの未払いのご注文が上限に達しています。"
        "お支払いを済ませるか、ログインするか、30分ほど後にもう一度お試しください。",
    ),
    "LINE_UNAVAILABLE": Text("this is not on sale any more", "この商品は販売を終了しました。"),
    "line_unavailable": Text(
        "this is not on sale any more: take it out of the cart",
        "この商品は販売を終了しました。カートから削除してください。",
    ),
    "INSUFFICIENT_STOCK": Text(
        "{requested} are wanted, {available} are left", "ご希望の{requested}点に対し、在庫は残り{available}点です。"
    ),
    "PRICE_CHANGED": Text(
        "the price of one is {now} {currency}: it was {was}",
        "価格が{was} {currency}から{now} {currency}に変わりました。",
    ),
    "MIXED_CURRENCIES": Text(
        "an order has one currency: buy these apart", "通貨の異なる商品は同時に購入できません。分けてご注文ください。"
    ),
    "QUOTE_CHANGED": Text(
        "what the cart comes to has changed: look at it again",
        "カートの内容または価格が変わりました。内容をご確認のうえ、もう一度お試しください。",
    ),
}
