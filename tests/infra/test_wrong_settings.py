"""A wrong setting is one line that names the variable, what is wrong and what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import loading as configuration
from tests.infra.running import ROOT


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
    assert [line.split("=")[0] for line in text.splitlines()] == ["TORII_LOG_LEVEL", "TORII_REDIS_TIMEOUT_MS"]


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


def test_port_and_data_dir_are_read_from_the_file_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("PORT", "TORII_PORT", "DATA_DIR", "TORII_DATA_DIR"):
        monkeypatch.delenv(variable, raising=False)

    (tmp_path / ".env").write_text("PORT=8111\nDATA_DIR=elsewhere\n")
    settings = configuration.load()
    assert (settings.port, settings.data_dir) == (8111, Path("elsewhere"))
    (tmp_path / ".env").write_text("PORT=8111\nDATA_DIR=elsewhere\nTORII_PORT=8222\nTORII_DATA_DIR=there\n")
    settings = configuration.load()
    assert (settings.port, settings.data_dir) == (8222, Path("there"))
    monkeypatch.setenv("PORT", "8333")
    monkeypatch.setenv("DATA_DIR", "here")
    settings = configuration.load()
    assert (settings.port, settings.data_dir) == (8333, Path("here"))


def test_a_wrong_port_in_the_file_is_named_as_it_was_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("TORII_PORT", raising=False)
    (tmp_path / ".env").write_text("PORT=http\n")
    with pytest.raises(ValidationError) as wrong:
        configuration.load()
    assert configuration.explain(wrong.value).startswith("PORT=http: input should be a valid integer")


def test_a_password_is_asked_for_only_where_somebody_can_answer() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "cli", "token", "someone@example.com"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr == "torii: someone@example.com needs a password: give --password or set TORII_PASSWORD\n"


def test_a_wrong_manifest_of_trusted_documents_is_one_line(tmp_path: Path) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text('{"a": "{ __typename }", "b": "{ nothing }"}')
    refused = serve(tmp_path, TORII_TRUSTED_DOCUMENTS=str(manifest))
    assert refused.returncode == 1
    assert refused.stdout == ""
    [line] = refused.stderr.splitlines()
    assert line.startswith(f"torii: TORII_TRUSTED_DOCUMENTS: {manifest} has documents that cannot run: b: Cannot query")


def test_a_manifest_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    refused = serve(tmp_path, TORII_TRUSTED_DOCUMENTS=str(tmp_path / "nothing.json"))
    assert refused.returncode == 1
    assert "nothing.json cannot be read: No such file" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def serve(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`torii serve` on back ends that are not there: it has to end before it would look for them."""
    away = {
        "TORII_DATABASE_URL": "postgresql://torii_app:p@127.0.0.1:1/torii",
        "TORII_REDIS_URL": "redis://127.0.0.1:1",
        "TORII_SECRET_KEY": "s" * 32,
        "DATA_DIR": str(folder),
        "PORT": "1",
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith("TORII_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", "serve"],
        cwd=folder,
        env={**own, **away, **variables, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
