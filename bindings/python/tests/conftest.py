"""What all tests use: an engine on the built-in rules, and folders of rules to change."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import faultbook

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def engine() -> faultbook.Engine:
    return faultbook.Engine.builtin()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A small set of rules, to be changed."""
    folder = tmp_path / "rules"
    shutil.copytree(ROOT / "tests" / "reloads" / "base", folder)
    return folder


@pytest.fixture
def raised() -> Callable[[Callable[[], object]], BaseException]:
    """The exception that a function raises, as an `except` block gets it."""

    def catch(function: Callable[[], object]) -> BaseException:
        try:
            function()
        except BaseException as error:
            return error
        raise AssertionError("nothing was raised")

    return catch
