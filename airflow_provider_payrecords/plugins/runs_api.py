"""The API of the page of runs."""

from __future__ import annotations

from fastapi import APIRouter

runs_router = APIRouter()
