"""Simulations of known truth, which benchmarks/ prints at length and the tests run in a small form."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def benchmark_module():
    """Gives the benchmark of a name as a module."""

    def load(name):
        path = Path(__file__).resolve().parents[2] / "benchmarks" / f"{name}.py"
        found = importlib.util.spec_from_file_location(f"benchmark_{name}", path)
        module = importlib.util.module_from_spec(found)
        sys.modules[found.name] = module  # where dataclasses look for it
        found.loader.exec_module(module)
        return module

    return load
