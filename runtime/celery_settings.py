"""The Celery settings of the doorbell, which producer and worker must share."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from redis.backoff import NoBackoff
from redis.retry import Retry

from runtime.sentinels import ANSWER_SECONDS_MAX
from schema.redis_address import SentinelAddress, read_sentinel_url
from schema.tasks import DOORBELL_QUEUE


def celery_configuration(redis_url: str) -> dict[str, Any]:
    """Return the Celery settings that producer and worker share; they must agree on every transport option."""
    sentinel = read_sentinel_url(redis_url)
    return {
        **(_broker(redis_url) if sentinel is None else _broker_by_sentinels(sentinel)),
        "task_default_queue": DOORBELL_QUEUE,
        "task_ignore_result": True,
        "task_acks_late": False,  # the lease recovers a dead worker's turn; late acks would only add duplicates
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_enable_prefetch_count_reduction": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_send_task_events": False,  # events cost 0.7 of the throughput; metrics come from the application
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "broker_channel_error_retry": True,  # a Redis that refuses to write would end the worker
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "socket_timeout": 5,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
            "health_check_interval": 3,
            "visibility_timeout": 60,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "priority_steps": [0],
            **({} if sentinel is None else _sentinel_options(sentinel)),
        },
    }


def _broker(redis_url: str) -> dict[str, Any]:
    # kombu would verify no certificate where the address has no ssl_… parameters; those of the address win.
    is_tls = redis_url.startswith("rediss://")
    return {"broker_url": redis_url, "broker_use_ssl": {"ssl_cert_reqs": "required"} if is_tls else False}


def _broker_by_sentinels(address: SentinelAddress) -> dict[str, Any]:
    login = ":".join(quote(address.login.get(name, ""), safe="") for name in ("username", "password"))
    credentials = f"{login}@" if address.login else ""
    places = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in address.sentinels)
    return {
        "broker_url": ";".join(f"sentinel://{credentials}{place}/{address.database}" for place in places),
        "broker_use_ssl": address.tls or False,
    }


def _sentinel_options(address: SentinelAddress) -> dict[str, Any]:
    return {
        "master_name": address.primary,
        "sentinel_kwargs": {
            "socket_timeout": ANSWER_SECONDS_MAX,
            "socket_connect_timeout": ANSWER_SECONDS_MAX,
            "retry": Retry(NoBackoff(), 0),  # the next one is asked instead
            "ssl": address.tls is not None,
            **address.sentinel_login,
            **(address.tls or {}),
        },
    }
