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


def test_production_names_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, TORII_MODE="production").startswith(
        "production needs TORII_SECRET_KEY, TORII_DATABASE_URL"
    )


def test_a_proxy_that_is_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    text = said(monkeypatch, TORII_TRUSTED_PROXIES="10.0.0.0/8, the-balancer")
    assert "the-balancer is neither an address nor a network such as 10.0.0.0/8" in text
