"""Who may call the webhooks of text messages: the provider alone, and nobody learns why somebody else may not."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import httpx2
import pytest

from ops.desk.channel_checks import check, send_test
from ops.desk.channel_findings import CannotBeChecked
from ops.desk.channels import AccountDesk
from ops.tenants.settings import suspend_tenant
from runtime.sealing import Sealer
from schema.settings import Settings
from tests.integration.sms_scene import CUSTOMER, OUR_NUMBER, SmsScene, sms_scene
from tests.integration.worker_harness import MakeHarness

SID = "SM" + "a" * 32


@pytest.fixture
async def scene(worker: MakeHarness, settings: Settings) -> AsyncIterator[SmsScene]:
    async with sms_scene(await worker(), settings) as made:
        yield made


def sign(key: str, url: str, pairs: dict[str, str], digest: str = "sha1") -> str:
    """Sign by the provider's documentation; shares nothing with the product."""
    text = url + "".join(name + pairs[name] for name in sorted(pairs))
    return b64encode(hmac.new(key.encode(), text.encode(), getattr(hashlib, digest)).digest()).decode()


def pairs_of(scene: SmsScene, **changes: str) -> dict[str, str]:
    return {
        "AccountSid": scene.provider.account_sid,
        "Body": "hello",
        "From": CUSTOMER,
        "FromCity": "",
        "MessageSid": SID,
        "NumMedia": "0",
        "To": OUR_NUMBER,
    } | changes


async def post(url: str, pairs: dict[str, str] | bytes, signature: str | None, **headers: str) -> httpx2.Response:
    body = pairs if isinstance(pairs, bytes) else urlencode(pairs).encode()
    given = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8", **headers}
    if signature is not None:
        given["x-twilio-signature"] = signature
    async with httpx2.AsyncClient() as client:
        return await client.post(url, content=body, headers=given)


async def test_a_request_that_is_signed_is_taken_whatever_its_host_says(scene: SmsScene) -> None:
    pairs = pairs_of(scene)
    signature = sign(scene.provider.auth_token, scene.webhook, pairs)

    taken = await post(
        scene.webhook, pairs, signature, host="elsewhere.example", **{"x-forwarded-host": "x", "x-forwarded-proto": "y"}
    )

    assert (taken.status_code, taken.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert await scene.count("inbox") == 1


def recorded() -> list[tuple[str, str, str]]:
    lines = (Path(__file__).parent / "recorded_sms.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(name, text.replace("\\n", "\n"), body) for name, text, body in entries]


async def test_every_recorded_shape_of_a_request_is_taken_for_what_it_says(scene: SmsScene, sealer: Sealer) -> None:
    taken: dict[str, str] = {}
    for number, (name, _, shape) in enumerate(recorded()):
        digits = hashlib.sha256(name.encode()).hexdigest()[:32]
        filled = {
            "{sid}": f"SM{digits}",
            "{mms}": f"MM{digits}",
            "{account}": scene.provider.account_sid,
            "{to}": OUR_NUMBER.replace("+", "%2B"),
            "{from}": f"%2B1415555{number:04}",
        }
        body = shape
        for mark, value in filled.items():
            body = body.replace(mark, value)
        signature = sign(scene.provider.auth_token, scene.webhook, dict(parse_qsl(body, keep_blank_values=True)))
        answered = await post(scene.webhook, body.encode(), signature)
        assert answered.status_code == 200, name
        for row in await scene.harness.query(
            "SELECT payload, '(' || command || ')' AS command FROM inbox i FULL JOIN channel_command c"
            " USING (tenant_id, message_id) WHERE tenant_id = %s AND message_id LIKE '%%' || %s",
            scene.harness.tenant,
            digits,
        ):
            inbound = json.loads(sealer.open(row["payload"])) if row["payload"] else {}
            taken[name] = row["command"] or inbound["text"]

    assert taken == {name: text for name, text, _ in recorded()}


async def test_the_query_of_the_url_is_signed_byte_for_byte(scene: SmsScene) -> None:
    url = f"{scene.webhook}?b=%2f&a=1+2"
    pairs = pairs_of(scene)
    token = scene.provider.auth_token

    right = await post(url, pairs, sign(token, url, pairs))
    reordered = await post(f"{scene.webhook}?a=1+2&b=%2f", pairs, sign(token, url, pairs))
    reescaped = await post(f"{scene.webhook}?b=%2F&a=1+2", pairs, sign(token, url, pairs))

    assert [right.status_code, reordered.status_code, reescaped.status_code] == [200, 403, 403]


async def test_every_cause_is_refused_in_the_same_words(scene: SmsScene, other_tenant: str) -> None:
    token, url, pairs = scene.provider.auth_token, scene.webhook, pairs_of(scene)
    desk = AccountDesk(scene.harness.database, scene.harness.service.servers.sealer, other_tenant)
    foreign = await desk.add(
        "sms", {"account_sid": "AC" + "9" * 32, "public_url": scene.here.url}, {"auth_token": token}
    )
    base = f"{scene.here.url}/v1/channels/sms"
    unknown = f"{base}/{scene.harness.tenant}/ch_0123456789abcdef"
    of_other = f"{base}/{other_tenant}/{scene.account_id}"
    another_accounts = f"{base}/{other_tenant}/{foreign}"
    other_sid = pairs_of(scene, AccountSid="AC" + "0" * 32)
    other_number = pairs_of(scene, To="+14155550000")

    refused = [
        await post(url, pairs, "nonsense"),
        await post(url, pairs, ""),
        await post(url, pairs, sign("another-token", url, pairs)),
        await post(url, pairs_of(scene, Body="changed"), sign(token, url, pairs)),
        await post(url, urlencode([*pairs.items(), ("Body", "again")]).encode(), sign(token, url, pairs)),
        await post(url, b"\xff", sign(token, url, {})),
        await post(url, other_sid, sign(token, url, other_sid)),
        await post(url, other_number, sign(token, url, other_number)),
        await post(unknown, pairs, sign(token, unknown, pairs)),
        await post(of_other, pairs, sign(token, of_other, pairs)),
        await post(another_accounts, pairs, sign(token, another_accounts, pairs)),
    ]
    missing = await post(url, pairs, None)

    assert {each.status_code for each in refused} == {403}
    assert len({str({**each.json(), "request_id": ""}) for each in refused}) == 1
    assert missing.status_code == 400
    assert await scene.count("inbox") == 0


async def test_a_suspended_tenant_is_refused_like_a_stranger(scene: SmsScene) -> None:
    await suspend_tenant(scene.harness.database, scene.harness.tenant, by="a test", because="a test")

    refused = await scene.write("Hello")

    assert refused["answered"] == 403


async def test_secrets_are_rotated_without_losing_a_message(scene: SmsScene) -> None:
    old, url, pairs = scene.provider.auth_token, scene.webhook, pairs_of(scene)
    await scene.desk.rotate(scene.account_id, {"auth_token": "new-token", "shared_keys": {"rule-1": "shared"}}, 3_600)
    settings = {"x-twilio-webhooks-signature-settings": "key=rule-1,algorithm=HMAC_SHA256"}

    by_old = await post(url, pairs, sign(old, url, pairs))
    by_new = await post(url, pairs, sign("new-token", url, pairs))
    by_key = await post(url, pairs, sign("shared", url, pairs, "sha256"), **settings)
    downgraded = await post(url, pairs, sign("new-token", url, pairs, "sha256"))

    assert [each.status_code for each in (by_old, by_new, by_key, downgraded)] == [200, 200, 200, 403]


async def test_a_body_that_is_too_large_or_no_form_is_refused(scene: SmsScene) -> None:
    large = await post(scene.webhook, b"x" * 300_000, "x")
    odd = await post(f"{scene.here.url}/v1/channels/sms/{scene.harness.tenant}/nonsense", {}, "x")

    assert [large.status_code, odd.status_code] == [413, 422]


async def get(url: str, signature: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        return await client.get(url, headers={"x-twilio-signature": signature})


async def test_a_get_is_taken_whose_url_is_signed_with_its_query(scene: SmsScene) -> None:
    token, pairs = scene.provider.auth_token, pairs_of(scene, Body="Grüße 👋 + mehr")
    url = f"{scene.webhook}?{urlencode(pairs)}"
    own_query = f"{scene.webhook}?from=gateway&{urlencode(pairs_of(scene, MessageSid='SM' + 'b' * 32))}"

    taken = await get(url, sign(token, url, {}))
    again = await get(url, sign(token, url, {}))
    beside = await get(own_query, sign(token, own_query, {}))

    assert [each.status_code for each in (taken, again, beside)] == [200, 200, 200]
    assert taken.text.endswith("<Response/>")
    assert await scene.count("inbox") == 2


async def test_a_get_that_is_not_the_one_that_was_signed_is_refused(scene: SmsScene) -> None:
    token, pairs = scene.provider.auth_token, pairs_of(scene)
    url = f"{scene.webhook}?{urlencode(pairs)}"
    twice = f"{url}&Body=again"
    as_post = sign(token, scene.webhook, pairs)
    as_get = sign(token, url, {})

    refused = [
        await get(url.replace("hello", "hallo"), as_get),
        await get(twice, sign(token, twice, {})),
        await get(url, as_post),
        await get(f"{scene.webhook}?Body=%ff", sign(token, f"{scene.webhook}?Body=%ff", {})),
        await get(scene.webhook, sign(token, scene.webhook, {})),
        await post(url, b"", as_get),
        await post(url, pairs, as_get),
    ]

    assert {each.status_code for each in refused} == {403}
    assert await scene.count("inbox") == 0


async def test_a_state_told_by_get_is_noted(scene: SmsScene) -> None:
    async with scene.delivering():
        scene.script({"do": "take", "report": "nothing"})
        await scene.answer("Hello")
        [sent] = await scene.until_sent(1)
        [delivery] = await scene.until_state("sent")
    told = {"AccountSid": scene.provider.account_sid, "MessageSid": sent["sid"], "MessageStatus": "delivered"}
    url = f"{scene.webhook}/status?reply={delivery['reply_id']}&part=1&{urlencode(told)}"

    noted = await get(url, sign(scene.provider.auth_token, url, {}))

    assert noted.status_code == 204
    assert [part["status"] for part in await scene.parts()] == ["delivered"]


async def test_a_json_webhook_needs_the_hash_of_its_body(scene: SmsScene) -> None:
    body = b'{"a":1}'
    url = f"{scene.webhook}/status?bodySHA256={hashlib.sha256(body).hexdigest()}"
    token = scene.provider.auth_token
    json = {"content-type": "application/json"}

    without = await post(f"{scene.webhook}/status", body, sign(token, f"{scene.webhook}/status", {}), **json)
    other = await post(url, b'{"a":2}', sign(token, url, {}), **json)

    assert [without.status_code, other.status_code] == [403, 403]


async def test_a_check_finds_what_works_and_what_does_not(scene: SmsScene) -> None:
    right = await check(await scene.desk.open(scene.account_id))
    await scene.desk.rotate(scene.account_id, {"auth_token": "a-wrong-token"}, 0)
    wrong = await check(await scene.desk.open(scene.account_id))

    assert {finding.name: finding.state for finding in right} == {
        "account": "right",
        "API": "right",
        OUR_NUMBER: "right",
        "webhook": "right",
    }
    assert {finding.name: finding.state for finding in wrong}["API"] == "wrong"
    assert "a-wrong-token" not in str(wrong)


async def test_a_test_message_is_sent_unless_the_customer_has_opted_out(scene: SmsScene) -> None:
    taken = await send_test(scene.desk, scene.account_id, CUSTOMER)
    await scene.write("STOP")
    with pytest.raises(CannotBeChecked, match="is suppressed"):
        await send_test(scene.desk, scene.account_id, CUSTOMER)

    assert (taken.kind, taken.provider_id) == ("accepted", scene.sent()[0]["sid"])
    assert len(scene.sent()) == 1
