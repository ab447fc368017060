"""What refusals say to people, in each language, in one place.

Capitals are the codes of refusals; the rest are the keys of more particular texts (`Refusal(key=…)`). What stands in
braces are the refusal's arguments.
"""

from collections.abc import Mapping

from domain.shared.checkout_messages import OF_CHECKOUT
from domain.shared.fulfilment_messages import OF_FULFILMENT
from domain.shared.told import Text

OF_EVERYTHING = {
    "REFUSED": Text("this was refused", "この操作は受け付けられませんでした。"),
    "BAD_USER_INPUT": Text("this input is not valid", "入力内容に誤りがあります。"),
    "INVALID_CURSOR": Text(
        "this cursor does not belong to this list: start again without it",
        "このカーソルはこの一覧のものではありません。指定せずにもう一度お試しください。",
    ),
    "CURSOR_EXPIRED": Text(
        "not all that happened since this cursor is kept any more: load it anew, and go on without a cursor",
        "このカーソル以降の履歴は保存期間を過ぎています。最新の情報を読み込み、カーソルを指定せずにやり直してください。",
    ),
    "seller_reference": Text(
        "you work for several sellers: name one by sellerId",
        "複数のショップに所属しています。sellerIdを指定してください。",
    ),
    "NOT_FOUND": Text("this does not exist", "指定されたものが見つかりません。"),
    "user_not_found": Text("nobody here has this mail address", "このメールアドレスの利用者はいません。"),
    "id_not_found": Text("no {type} has this id", "このIDの{type}はありません。"),
    "SERVICE_UNAVAILABLE": Text(
        "{service} is not available right now",
        "ただいま{service}をご利用いただけません。しばらくしてからもう一度お試しください。",
    ),
    "EVENT_PLACES_GONE": Text(
        "{service} has not what events go through: `torii migrate` makes it",
        "{service}にイベントの送り先がありません。`torii migrate`で作成してください。",
    ),
    "FORBIDDEN": Text("this is not for you to see or do", "この操作を行う権限がありません。"),
    "UNAUTHENTICATED": Text("sign in first", "サインインしてください。"),
    "invalid_token": Text(
        "the access token is not valid: sign in again",
        "アクセストークンが無効です。もう一度サインインしてください。",
    ),
    "session_ended": Text(
        "this session was ended: sign in again",
        "このセッションは終了しました。もう一度サインインしてください。",
    ),
    "ACCOUNT_SUSPENDED": Text(
        "this account is suspended: ask support",
        "このアカウントは停止されています。サポートにお問い合わせください。",
    ),
    "ADDRESS_TAKEN": Text(
        "another account here has your mail address: ask support to join the two",
        "このメールアドレスは別のアカウントで使われています。サポートにアカウントの統合をご依頼ください。",
    ),
    "RATE_LIMITED": Text(
        "too many requests: try again in {seconds} s",
        "リクエストが多すぎます。{seconds}秒後にもう一度お試しください。",
    ),
    "VERSION_CONFLICT": Text(
        "somebody changed this meanwhile: load it again",
        "ほかの画面で内容が変更されています。読み込み直してからもう一度お試しください。",
    ),
    "IDEMPOTENCY_KEY_REUSED": Text(
        "this idempotency key was used with other input", "この冪等キーは別の内容ですでに使われています。"
    ),
    "IDEMPOTENCY_IN_PROGRESS": Text(
        "the first request with this idempotency key is still running: try again",
        "同じ冪等キーの処理がまだ続いています。しばらくしてからもう一度お試しください。",
    ),
    "idempotency_key": Text(
        "an idempotency key has 1 to {most} visible ASCII characters",
        "冪等キーは1～{most}文字の半角英数字・記号で指定してください。",
    ),
}

OF_LISTS = {
    "page_both_ways": Text(
        "give first and after, or last and before, not both",
        "firstとafter、またはlastとbeforeのどちらか一方だけを指定してください。",
    ),
    "page_size": Text(
        "{name} must be from 0 to {most}, not {size}", "{name}には0～{most}を指定してください（指定値: {size}）。"
    ),
    "page_forward_only": Text(
        "search results go forward only: use first and after",
        "検索結果は前方向にのみ取得できます。firstとafterを使ってください。",
    ),
    "too_many_ids": Text("at most {most} ids at once", "一度に指定できるIDは{most}件までです。"),
}

OF_CATALOGUE = {
    "product_reference": Text(
        "name the product by id, or by slug, or by sellerId and sku",
        "商品はid、slug、またはsellerIdとskuの組のいずれかで指定してください。",
    ),
    "category_reference": Text("name the category by id or by slug", "カテゴリーはidかslugで指定してください。"),
    "price_negative": Text("prices cannot be negative", "価格に負の値は指定できません。"),
    "price_order": Text("the lowest price is above the highest", "価格の下限が上限を上回っています。"),
    "price_currency": Text("prices are not kept in {currency!r}", "通貨{currency}の価格は扱っていません。"),
    "price_unpayable": Text("this amount is not one that can be paid", "この金額は指定できません。"),
    "attributes_text": Text("attributes must be text", "属性は文字列で指定してください。"),
    "too_many_filters": Text("at most {most} brands or attributes", "ブランドや属性は{most}件まで指定できます。"),
    "too_many_choices": Text(
        "a filter names at most {most} values", "絞り込みに指定できる値は合わせて{most}個までです。"
    ),
    "too_many_attributes": Text("a filter names at most {most} attributes", "絞り込める属性は{most}種類までです。"),
    "facet_token": Text(
        "this is not the token of a facet's value", "絞り込みのトークンが正しくありません。検索をやり直してください。"
    ),
    "rating_range": Text("a rating is from 0 to {most}", "評価は0～{most}で指定してください。"),
    "filter_text": Text(
        "text must be at most {most} characters, without null bytes",
        "検索文字列はヌル文字を除く{most}文字以内で指定してください。",
    ),
    "query_control": Text("a query cannot hold control characters", "検索語に制御文字は使えません。"),
    "query_length": Text("a query has at most {most} characters", "検索語は{most}文字以内で入力してください。"),
}

OF_CARTS = {
    "NO_CART_OWNER": Text(
        "sign in, or send a guest identity, to keep a cart",
        "カートを使うには、サインインするかゲスト識別子を送ってください。",
    ),
    "PRODUCT_NOT_FOUND": Text("this product is not on sale", "この商品は現在販売されていません。"),
    "VARIATION_REQUIRED": Text("choose a variation of this product", "商品の種類を選んでください。"),
    "OUT_OF_STOCK": Text("this product is out of stock", "この商品は在庫切れです。"),
    "CART_FULL": Text("a cart holds at most {most} lines", "カートに入れられる商品は{most}種類までです。"),
    "LINE_NOT_FOUND": Text("this line is not in the cart", "この商品はカートに入っていません。"),
    "CART_BUSY": Text(
        "the cart is being changed elsewhere: try again",
        "ほかの画面でカートが更新されています。もう一度お試しください。",
    ),
    "quantity_range": Text(
        "quantity must be from {least} to {most}, not {quantity}",
        "数量は{least}～{most}で指定してください（指定値: {quantity}）。",
    ),
}

OF_ACCOUNTS = {
    "INVALID_POSTAL_CODE": Text(
        "a Japanese postal code has seven digits, such as 100-0001",
        "郵便番号は7桁の数字で入力してください（例: 100-0001）。",
    ),
    "INVALID_PREFECTURE": Text(
        "this is none of the 47 prefectures of Japan, such as 東京都: we deliver within Japan only",
        "都道府県名を正しく入力してください（例: 東京都）。お届け先は日本国内に限ります。",
    ),
    "INVALID_PHONE_NUMBER": Text(
        "this is no Japanese phone number, such as 03-1234-5678 or +81 90 1234 5678",
        "日本の電話番号を入力してください（例: 03-1234-5678、090-1234-5678）。",
    ),
    "address_not_found": Text("you have no such address", "この住所は登録されていません。"),
    "CONFIRMATION_REQUIRED": Text(
        "type {word}, or the mail address of the account, to delete it",
        "アカウントを削除するには「{word}」またはアカウントのメールアドレスを入力してください。",
    ),
    "FAVORITE_LIMIT": Text(
        "at most {most} favourites are kept: remove one first",
        "お気に入りは{most}件まで登録できます。不要なものを削除してください。",
    ),
    "currency": Text("prices are not shown in this currency", "この通貨では価格を表示できません。"),
    "ADDRESS_LIMIT": Text(
        "at most {most} addresses are kept: delete one first",
        "登録できる住所は{most}件までです。不要な住所を削除してください。",
    ),
    "required": Text("this cannot be empty", "入力してください。"),
    "too_long": Text("at most {most} characters", "{most}文字以内で入力してください。"),
    "control_characters": Text(
        "this holds control or invisible characters", "使用できない文字（制御文字など）が含まれています。"
    ),
    "image_address": Text(
        "a picture's address starts with https://", "画像のURLはhttps://で始まるものを指定してください。"
    ),
    "birth_date": Text("this cannot be a date of birth", "生年月日を正しく入力してください。"),
}

OF_IDENTITY = {
    "INVALID_CREDENTIALS": Text(
        "wrong address or password, or the account is not confirmed yet: "
        "try again, enter the code from the mail, ask for another one, or reset the password",
        "メールアドレスかパスワードが正しくないか、登録がまだ確認されていません。"
        "入力し直すか、メールの確認コードの入力、コードの再送、パスワードの再設定をお試しください。",
    ),
    "SESSION_ENDED": Text(
        "the session has ended: sign in again", "セッションが終了しました。もう一度サインインしてください。"
    ),
    "WRONG_PASSWORD": Text(
        "the old password is wrong, or your session has ended",
        "現在のパスワードが正しくないか、セッションが終了しています。",
    ),
    "INVALID_CODE": Text(
        "this code is wrong or no longer good: check it, or ask for another one",
        "コードが正しくないか、期限が切れています。確認するか、再送を依頼してください。",
    ),
    "CODE_EXPIRED": Text(
        "this code is no longer good: ask for another one", "コードの期限が切れています。再送を依頼してください。"
    ),
    "WEAK_PASSWORD": Text(
        "choose another password: from 8 characters, with a lower-case letter, a digit and a symbol, and none used lately",
        "別のパスワードを選んでください。8文字以上で、英小文字・数字・記号をそれぞれ含み、最近使っていないものが必要です。",
    ),
    "pool_pause": Text(
        "too many attempts: wait a while and try again",
        "試行回数が多すぎます。しばらくしてからもう一度お試しください。",
    ),
    "NOT_SUPPORTED": Text(
        "the sign-in service of this marketplace does not offer this",
        "このマーケットのサインイン機能では利用できません。",
    ),
    "PASSKEY_REFUSED": Text("the passkey was not taken", "パスキーを登録できませんでした。"),
    "passkey_not_begun": Text(
        "the registration was not begun, or too long ago: begin again",
        "パスキーの登録が始まっていないか、時間が経ちすぎています。最初からやり直してください。",
    ),
    "passkey_of_another_site": Text(
        "the passkey was made for another site or page", "このパスキーは別のサイトかページで作られたものです。"
    ),
    "passkey_not_found": Text("you have no such passkey", "このパスキーは登録されていません。"),
    "email_address": Text("this is not a mail address", "メールアドレスを正しく入力してください。"),
    "length": Text("from {least} to {most} characters", "{least}～{most}文字で入力してください。"),
    "credential_json": Text(
        "this is not the JSON of a PublicKeyCredential", "PublicKeyCredentialのJSONを指定してください。"
    ),
    "pool_input": Text(
        "the sign-in service does not take this input", "サインイン機能がこの入力を受け付けませんでした。"
    ),
}

OF_PAYMENTS = {
    "PAYMENT_REFUSED": Text("the payment provider refuses this", "決済サービスがこの操作を受け付けませんでした。"),
    "payment_amount": Text(
        "the payment provider does not take this amount", "この金額は決済サービスで取り扱えません。"
    ),
    "payment_state": Text(
        "the payment is in a state in which this cannot be done", "現在のお支払いの状態では、この操作はできません。"
    ),
    "payment_refunded": Text("the payment was refunded already", "このお支払いはすでに返金されています。"),
    "PAYMENT_DISPUTED": Text(
        "the buyer has the bank take this payment back: nothing is refunded until that is settled",
        "このお支払いはカード会社で異議申し立て中のため、解決するまで返金できません。",
    ),
    "payment_declined": Text(
        "the card was declined: try another one, or ask its issuer",
        "カードが承認されませんでした。別のカードをお試しいただくか、カード会社にお問い合わせください。",
    ),
    "payment_funds": Text(
        "the card has not enough left for this amount",
        "カードの利用可能額が不足しています。別のお支払い方法をお試しください。",
    ),
    "payment_card_expired": Text("the card has expired", "カードの有効期限が切れています。"),
    "payment_card_data": Text(
        "the card's number, date or security code is not right",
        "カード番号、有効期限、またはセキュリティコードが正しくありません。",
    ),
    "payment_authentication": Text(
        "the card's issuer asks for a confirmation by its holder", "カード会社による本人認証が必要です。"
    ),
    "PAYMENT_CONFLICT": Text(
        "this order has a payment with another amount or currency already",
        "この注文には、金額または通貨の異なる支払いがすでにあります。",
    ),
    "PAYMENT_KEY_SPENT": Text(
        "the payment could not be asked for; it will be tried again",
        "支払いを開始できませんでした。あらためて試行されます。",
    ),
    "UNTRUSTED_EVENT": Text("this message cannot be trusted", "この通知の送信元を確認できません。"),
}

TEXTS: Mapping[str, Text] = (
    OF_EVERYTHING
    | OF_LISTS
    | OF_CATALOGUE
    | OF_CARTS
    | OF_ACCOUNTS
    | OF_IDENTITY
    | OF_PAYMENTS
    | OF_FULFILMENT
    | OF_CHECKOUT
)
