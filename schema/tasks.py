"""The doorbell task: its name, its queue, and the Celery settings that both ends must share."""

from __future__ import annotations

from typing import Any

DRAIN_TASK = "fte.drain"
"""Name of the task that takes (tenant, conversation); may be lost, doubled or late.

It has no expiry: that would be compared with the worker's clock, and a worker whose clock is ahead of the senders'
would discard every doorbell. A stale one costs one look at a mailbox.
"""

DOORBELL_QUEUE = "fte.doorbell"


def celery_configuration(redis_url: str) -> dict[str, Any]:
    """Return the Celery settings that producer and worker share; they must agree on every transport option."""
    return {
        "broker_url": redis_url,
        # kombu would verify no certificate where the address has no ssl_… parameters; those of the address win.
        "broker_use_ssl": {"ssl_cert_reqs": "required"} if redis_url.startswith("rediss://") else False,
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
        },
    }
