"""Ring the doorbell of conversations: one Celery message each, which may be lost, doubled or late without harm."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from celery import Celery
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from runtime.celery_settings import celery_configuration
from runtime.server_addresses import address_of, first_line
from schema.errors import ServerUnreachable
from schema.tasks import DOORBELL_QUEUE, DRAIN_TASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.ids import ConversationKey

_BATCH_MESSAGES_MAX = 100
"""Bells in one round trip."""


class Doorbell:
    """Rings the workers' doorbell over one connection of its own, from any thread.

    Costs a seventh of `send_task` with Celery's defaults: Celery's message put in the queue by kombu, without a route,
    a pool, signals, a result, or a declaration of a queue that every worker declares, and all bells of a call in one
    round trip.
    """

    def __init__(self, redis_url: str) -> None:
        configuration = celery_configuration(redis_url)
        # The workers do not share this limit on connecting to the broker: rescue makes up for a lost bell, so a sender
        # should fail at once rather than wait.
        options = {**configuration["broker_transport_options"], "max_retries": 1, "interval_start": 0}
        self._app = Celery("fte-doorbell", set_as_current=False)
        self._app.conf.update({**configuration, "broker_transport_options": options})
        # Given when connecting: CELERY_BROKER_URL in the environment is for another application.
        self._url = configuration["broker_url"]
        self.address = address_of(redis_url)
        self._lock = threading.Lock()
        self._producer: Any = None

    def ring(self, keys: Sequence[ConversationKey]) -> None:
        """Send one doorbell task for each conversation; blocks for a round trip.

        Raises ServerUnreachable when the broker does not answer: some bells may have been rung.
        """
        with self._lock:
            try:
                self._ring_once(keys)
            except (KombuError, RedisError, OSError) as error:
                self._drop()  # the next ring starts afresh
                reason = first_line(error.__cause__ or error)
                raise ServerUnreachable("Redis", self.address, "FTE_REDIS_URL", reason) from error

    def close(self) -> None:
        """Close the connection; a later ring opens another."""
        with self._lock:
            self._drop()

    def _ring_once(self, keys: Sequence[ConversationKey]) -> None:
        if self._producer is None:
            self._producer = self._app.amqp.Producer(self._app.connection_for_write(self._url), auto_declare=False)
        with self._producer.batch(max_size=_BATCH_MESSAGES_MAX):
            for key in keys:
                bell = self._app.amqp.as_task_v2(
                    str(uuid4()), DRAIN_TASK, tuple(key), ignore_result=True, argsrepr=repr(tuple(key)), kwargsrepr="{}"
                )
                self._producer.publish(
                    bell.body,
                    exchange="",
                    routing_key=DOORBELL_QUEUE,
                    serializer="json",
                    headers=bell.headers,
                    retry=False,
                    declare=[],
                    **bell.properties,
                )

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.connection.release()
