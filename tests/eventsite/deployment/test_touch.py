"""The sentence of a deployment whose address cannot be reached from here."""

import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import click
import pytest
import requests

from eventsite.deployment import touch
from tests.engines import free_port


def command_line(check: Callable[[str], None]) -> Any:
    cli = SimpleNamespace(touch_endpoint=check, stage_config={"touch_path": "/health"})
    touch.tolerate_unreachable(cli)
    return cli


def zappas(url: str) -> None:
    """What Zappa does, which ends in a traceback."""
    requests.get(f"{url}/health", timeout=1)


@pytest.mark.parametrize(
    "reached", ["http://127.0.0.1:{port}", "http://no-such-host.invalid/dev", "http://", "https://[::1"]
)
def test_an_address_out_of_reach_is_a_sentence(reached: str, capsys: pytest.CaptureFixture[str]) -> None:
    reached = reached.replace("{port}", str(free_port()))
    command_line(zappas).touch_endpoint(reached)
    printed = capsys.readouterr().out
    assert f"Everything is deployed, but {reached}/health cannot be reached from this machine" in printed


def test_an_address_that_answers_nothing_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touch, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        command_line(zappas).touch_endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "cannot be reached" in capsys.readouterr().out


def test_a_service_that_answers_badly_still_fails_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "get", Mock())
    with pytest.raises(click.ClickException):
        command_line(Mock(side_effect=click.ClickException("yielded a 503"))).touch_endpoint("https://stage.example")
