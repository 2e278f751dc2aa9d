"""The saved state of the embedded engine: loaded completely or refused, and saved as private files.

ministack alone starts empty where it cannot restore a state file, later overwrites that file, and only logs a failed
save. `SavedState` takes the place of those functions.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

PRIVATE = 0o600
OURS = ("engine.*", "secret-key", "state/*")
"""The files that this project makes in a data directory, which may hold other files too."""

STORES = {"dynamodb": "tables", "cognito": "user_pools"}
"""The services, as ministack names their state files, and the store that each cannot be without."""


class SavedState:
    """The state files of one data directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "state"
        self._failures: dict[str, OSError] = {}

    @property
    def failure(self) -> str:
        """The reason why the last save failed, or an empty string."""
        reasons = {error.strerror or str(error) for error in self._failures.values()}
        if not reasons:
            return ""
        return f"The embedded engine cannot save its data in {self._directory} ({', '.join(sorted(reasons))})."

    def take_over(self) -> None:
        """Restore the files, or exit if one cannot be restored. Take over saving and loading from ministack."""
        from ministack import app
        from ministack.core import persistence

        self._ministack, self._persistence = app, persistence
        for service in STORES:
            path = self._directory / f"{service}.json"
            if path.exists():
                self._restore(service, path)
        app._load_persisted_state = lambda: None
        persistence.save_state = self._save

    def _restore(self, service: str, path: Path) -> None:
        try:
            state = self._persistence.load_state(service)
            _check(service, state)
            self._ministack._get_module(service).load_persisted_state(state)
        except Exception as error:
            reason = type(error).__name__
            sys.exit(f"The saved state in {path} cannot be read ({reason}): repair it, or move it away to start empty.")

    def save(self) -> None:
        """Save all services now. `failure` is the outcome."""
        loaded = {service: sys.modules.get(f"ministack.services.{service}") for service in STORES}
        self._persistence.save_all({service: module.get_state for service, module in loaded.items() if module})

    def _save(self, service: str, state: Any) -> None:
        """Replace one file, or keep the old one and remember why."""
        path = self._directory / f"{service}.json"
        draft = path.with_suffix(".json.tmp")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(draft, service, state)
            draft.replace(path)
        except OSError as error:
            self._failures[service] = error
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        else:
            self._failures.pop(service, None)

    def _write(self, path: Path, service: str, state: Any) -> None:
        content = {"__ministack_format__": self._persistence._state_format_version(service), "payload": state}
        with open_private(path) as file:
            json.dump(content, file, default=self._persistence._json_default)
            file.flush()
            os.fsync(file.fileno())  # a full disk may only show now


def _check(service: str, state: Any) -> None:
    """Raise `TypeError` unless a file holds what ministack saves. It would skip or half read anything else."""
    for one in state[STORES[service]].all_values():
        if not isinstance(one, dict) or (service == "dynamodb" and not isinstance(one["items"], dict)):
            raise TypeError("it holds something else")


def open_private(path: Path) -> Any:
    """Open a file for writing that only its owner may read, even if it already existed with other permissions."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    os.fchmod(descriptor, PRIVATE)
    return os.fdopen(descriptor, "w", encoding="utf-8")


def make_private(directory: Path) -> None:
    """Let only the owner read our files in a data directory. An earlier release was less strict."""
    for pattern in OURS:
        for path in directory.glob(pattern):
            if path.is_file() and not path.is_symlink():
                with suppress(OSError):
                    path.chmod(PRIVATE)
