"""Which network is taken: ``transport/network.py``. What goes over it is in ``test_sockets.py``."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.transport.network import ProxiedNetwork, open_network
from airflow_provider_payrecords.transport.pool import PooledNetwork
from tests.transport.drivers import settings

STRIPE, HERE = "https://api.stripe.com", "http://127.0.0.1:1"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.mark.parametrize(
    ("base", "environment", "kind"),
    [
        (STRIPE, {}, PooledNetwork),
        (STRIPE, {"HTTPS_PROXY": "http://proxy:3128"}, ProxiedNetwork),
        (STRIPE, {"all_proxy": "http://proxy:3128"}, ProxiedNetwork),
        (STRIPE, {"https_proxy": "http://proxy:3128", "no_proxy": "api.stripe.com"}, ProxiedNetwork),
        (STRIPE, {"HTTP_PROXY": "http://proxy:3128"}, PooledNetwork),
        (STRIPE, {"HTTPS_PROXY": ""}, PooledNetwork),
        (HERE, {"HTTP_PROXY": "http://proxy:3128", "ALL_PROXY": "http://proxy:3128"}, PooledNetwork),
        ("https://localhost:1", {"HTTPS_PROXY": "http://proxy:3128"}, PooledNetwork),
    ],
)
def test_a_proxy_of_the_environment_is_left_to_httpx_and_never_asked_for_this_machine(
    base: str, environment: dict[str, str], kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert type(open_network(settings(api_base=base), connections=1)) is kind
