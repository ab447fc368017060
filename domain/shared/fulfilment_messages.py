"""What is said no to about orders that were placed: shipping, cancelling, returns, refunds."""

from domain.shared.told import Text

OF_FULFILMENT = {
    "ILLEGAL_MOVE": Text(
        "what is {source} cannot become {target} here",
        "現在の状態（{source}）から{target}へ変更することはできません。",
    ),
}
