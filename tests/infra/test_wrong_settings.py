"""A wrong setting is one line that names the variable, what is wrong and what to do."""

import pytest
from pydantic import ValidationError

import settings as configuration


def said(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as wrong:
        configuration.load()
    return configuration.explain(wrong.value)


def test_a_port_that_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    text = said(monkeypatch, TORII_PORT="abc")
    assert text.startswith("TORII_PORT=abc: input should be a valid integer")
    assert text.endswith("or leave it out (default: 8000).")


def test_the_variable_is_named_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, PORT="99999").startswith("PORT=99999: input should be less than or equal to 65535")


def test_each_wrong_setting_has_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = said(monkeypatch, TORII_LOG_LEVEL="loud", TORII_REDIS_TIMEOUT_MS="0")
    assert [line.split("=")[0] for line in text.splitlines()] == ["TORII_REDIS_TIMEOUT_MS", "TORII_LOG_LEVEL"]


def test_keys_of_stripe_look_like_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    text = said(monkeypatch, TORII_STRIPE_SECRET_KEY="whsec_1", TORII_STRIPE_WEBHOOK_SECRET="sk_test_1")
    assert [line.split(":")[0] for line in text.splitlines()] == [
        "TORII_STRIPE_SECRET_KEY",
        "TORII_STRIPE_WEBHOOK_SECRET",
    ]
    assert "whsec_1" not in text


PRODUCTION = {
    "TORII_MODE": "production",
    "TORII_SECRET_KEY": "s" * 32,
    "TORII_DATABASE_URL": "postgresql://torii_app:p@db.internal/torii",
    "TORII_REDIS_URL": "rediss://cache.internal",
    "TORII_COGNITO_USER_POOL_ID": "pool",
    "TORII_COGNITO_CLIENT_ID": "client",
}
PAID = {"TORII_STRIPE_SECRET_KEY": "sk_live_1", "TORII_STRIPE_WEBHOOK_SECRET": "whsec_1"}


def test_production_without_payments_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, **PRODUCTION) == "production needs TORII_STRIPE_SECRET_KEY, TORII_STRIPE_WEBHOOK_SECRET"


def test_production_takes_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    key = {"TORII_STRIPE_SECRET_KEY": "sk_test_1", "TORII_STRIPE_API_BASE": "http://127.0.0.1:1234"}
    text = said(monkeypatch, **PRODUCTION | PAID | key)
    assert text.startswith("TORII_STRIPE_API_BASE names a sandbox")


def test_a_live_key_goes_to_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    text = said(monkeypatch, **PAID, TORII_STRIPE_API_BASE="http://127.0.0.1:1234")
    assert "is a live key" in text


def test_production_names_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, TORII_MODE="production").startswith(
        "production needs TORII_SECRET_KEY, TORII_DATABASE_URL"
    )


def test_a_proxy_that_is_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    text = said(monkeypatch, TORII_TRUSTED_PROXIES="10.0.0.0/8, the-balancer")
    assert "the-balancer is neither an address nor a network such as 10.0.0.0/8" in text
