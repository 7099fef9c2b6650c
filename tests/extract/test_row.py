"""Rows and problems are plain frozen values."""

from __future__ import annotations

import pickle

import pytest

from airflow_provider_payrecords.extract import Problem, RowProblem


def test_problems_compare_by_value_survive_pickling_and_cannot_change():
    row = RowProblem(1, None, (Problem("key", "missing_key", "The key is empty."),))
    assert pickle.loads(pickle.dumps(row)) == row
    with pytest.raises(AttributeError):
        row.number = 2
