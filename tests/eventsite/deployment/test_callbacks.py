"""What the last step of a deployment makes of the service's answer."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from click import ClickException

from eventsite.deployment import callbacks
from tests.engines import free_port


def finish(monkeypatch: pytest.MonkeyPatch, address: str) -> Any:
    """Finish the deployment of a stage with this address, and return what was called of Zappa."""
    monkeypatch.setattr(callbacks, "stack", lambda cli: Mock(outputs=lambda: {"ApiEndpoint": address}))
    zappa = Mock()
    callbacks.finish(SimpleNamespace(zappa=zappa, lambda_name="eventsite-dev"))
    return zappa


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}", "http://no-such-host.invalid/dev", "http://", "https://[::1"]
)
def test_an_address_out_of_reach_is_a_sentence(
    address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address.replace("{port}", str(free_port()))
    zappa = finish(monkeypatch, address)
    assert f"Everything is deployed, but {address}/health cannot be reached from here" in capsys.readouterr().out
    zappa.wait_until_lambda_function_is_updated.assert_called_once_with(function_name="eventsite-dev")


def test_an_address_that_answers_nothing_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "FIRST_ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        finish(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "cannot be reached" in capsys.readouterr().out


@pytest.fixture
def service() -> Iterator[HTTPServer]:
    """A service whose answers have its attribute `status`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(self.server.status if self.path == "/health" else 418)  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("status", "fails"), [(200, False), (403, False), (500, True), (503, True)])
def test_a_service_that_answers_badly_fails_the_deployment(
    service: Any, status: int, fails: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.status = status
    address = f"http://127.0.0.1:{service.server_port}"
    if fails:
        with pytest.raises(ClickException, match=f"{address}/health answers {status}"):
            finish(monkeypatch, address)
    else:
        finish(monkeypatch, address)
    assert capsys.readouterr().out == ""
