"""Whole bulk runs in virtual time, against a simulated API and a simulated ledger. See docs/proof.md."""
