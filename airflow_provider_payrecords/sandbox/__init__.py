"""
A local double of Stripe's Payment Records API: strict, stateful, with trouble on demand. For tests and demos only.

``start_sandbox()`` serves one on a free port from a thread; ``SandboxTransport`` gives one to an httpx client without
a socket; ``server.serve`` is the command line's. Nothing outside ``testing``, the command line and tests imports this.
"""

from airflow_provider_payrecords.sandbox.config import InvoiceSeed, RateLimits, SandboxConfig
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind, FaultMix
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from airflow_provider_payrecords.sandbox.server import RunningSandbox, serve, start_sandbox

__all__ = [
    "Fault",
    "FaultKind",
    "FaultMix",
    "InvoiceSeed",
    "RateLimits",
    "RunningSandbox",
    "Sandbox",
    "SandboxConfig",
    "SandboxTransport",
    "serve",
    "start_sandbox",
]
