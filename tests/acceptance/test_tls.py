"""PostgreSQL and Redis over TLS: who is not certified by the CA of the settings gets no password and no work."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from producer import AsyncSubscription, replies_stream
from producer.sending.doorbell import Doorbell
from runtime.configuration import open_sealer
from runtime.database import Database
from runtime.redis import check_redis, make_redis
from schema.errors import ServerUnreachable
from schema.ids import ConversationKey
from schema.settings import Settings
from tests.acceptance.test_celery_worker import FTE, running, send
from tests.integration.tls_front import Authority, tls_front

HOST = "127.0.0.1"
MakeSettings = Callable[[ssl.SSLContext, Path], Settings]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make the CA that the settings name."""
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeSettings]:
    """Give a maker of settings that lead to our servers by fronts with a certificate, trusting a CA."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), durable=False) as stack, ExitStack() as opened:
        vault_keys = [SecretStr(Fernet.generate_key().decode())]
        state_dir = tmp_path_factory.mktemp("state")

        def make(certificate: ssl.SSLContext, trusted: Path) -> Settings:
            postgresql, redis = urlsplit(stack.addresses.database_url), urlsplit(stack.addresses.redis_url)
            database_port = opened.enter_context(tls_front(postgresql.port or 0, certificate, is_postgresql=True))
            redis_port = opened.enter_context(tls_front(redis.port or 0, certificate))
            login = f"{postgresql.username}:{postgresql.password}"
            return Settings(
                database_url=f"postgresql://{login}@{HOST}:{database_port}/fte?sslmode=verify-full&sslrootcert={trusted}",
                redis_url=f"rediss://:{redis.password}@{HOST}:{redis_port}/0?ssl_ca_certs={trusted}",
                vault_keys=vault_keys,
                state_dir=state_dir,
            )

        yield make


async def test_worker_producer_and_consumer_work_over_tls(
    authority: Authority, behind: MakeSettings, tmp_path: Path
) -> None:
    settings = behind(authority.certify(HOST), authority.path)
    migrate(settings.database_url or "", open_sealer(settings), sample=True)

    async with (
        running(settings, tmp_path / "log", *FTE, "worker", "--concurrency", "4"),
        AsyncSubscription(settings, replies_stream("default", "chat"), group="g", consumer="one") as subscription,
    ):
        await send(settings, 3)
        async with asyncio.timeout(30):
            collected = {(await anext(aiter(subscription))).conversation for _ in range(3)}

    assert len(collected) == 3
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("certified_for", [HOST, "elsewhere.example"])
async def test_a_server_without_the_right_certificate_is_refused_and_the_error_says_so(
    authority: Authority, behind: MakeSettings, tmp_path: Path, certified_for: str
) -> None:
    signer = Authority(tmp_path, "theirs") if certified_for == HOST else authority
    settings = behind(signer.certify(certified_for), authority.path)
    redis = make_redis(settings)

    with pytest.raises(ServerUnreachable, match=r"certificate.*FTE_REDIS_URL") as of_redis:
        await check_redis(redis, settings)
    with pytest.raises(ServerUnreachable, match=r"certificate.*FTE_REDIS_URL"):
        await asyncio.to_thread(Doorbell(settings.redis_url or "").ring, [ConversationKey("default", "c-1")])
    with pytest.raises(ServerUnreachable, match=r"certificate.*FTE_DATABASE_URL") as of_postgresql:
        await Database(settings).open()

    await redis.aclose()
    for told, url in ((of_redis, settings.redis_url), (of_postgresql, settings.database_url)):
        assert (urlsplit(url or "").password or "") not in str(told.value)
