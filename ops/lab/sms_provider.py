"""Stand in for a provider of text messages with Twilio's API, on loopback: takes messages, lists them, signs webhooks.

`fte up --sandbox` runs it. Besides the API of an account (`Messages.json`, its list, the account itself) it has

    POST /sandbox/inbound   {"from": "+14155550101", "text": "…"}   a customer writes; `to` names another number of ours
    GET  /sandbox/messages  everything that was taken, the newest last
    PUT  /control           a JSON list of steps, one for each message to be posted; without any it is taken:

    {"do": "error", "status": 400, "code": 21610}   answers so, and takes nothing
    {"do": "cut"}, {"do": "hang"}                    takes the message, and hangs up, or never answers
    {"do": "lose"}                                   takes nothing, and hangs up
    {"do": "take", "report": "failed", "code": 30007}   takes it, and reports this instead of delivered
    {"do": "unlisted"}                               takes it, hangs up, and never lists it

Each message that is taken is reported as sent and delivered to its StatusCallback, signed as the provider signs.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

import httpx2
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

TRIES_MAX: Final = 3
"""How often a webhook is sent that nobody takes, a second apart."""

PAGE_MAX: Final = 1_000

_STATES: Final = ("sent", "delivered")


@dataclass
class SmsProvider:
    """What the stand-in knows: its account, the steps to come, and every message that it took or brought in."""

    account_sid: str
    auth_token: str
    own_number: str = ""
    """The number that is written to where a request does not say."""
    webhook_url: str = ""
    """Where inbound messages are delivered; unset: as the request for one says."""
    say: Callable[[str], None] = lambda _line: None
    steps: deque[dict[str, Any]] = field(default_factory=deque)
    messages: list[dict[str, Any]] = field(default_factory=list)
    posts: int = 0
    """Messages that were posted, taken or not."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    client: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(timeout=15, trust_env=False))

    def application(self) -> web.Application:
        """Build the web application."""
        app = web.Application()
        account = f"/2010-04-01/Accounts/{self.account_sid}"
        app.router.add_post(f"{account}/Messages.json", self._take)
        app.router.add_get(f"{account}/Messages.json", self._list)
        app.router.add_get(f"{account}.json", self._account)
        app.router.add_get(f"{account}/IncomingPhoneNumbers.json", self._numbers)
        app.router.add_post("/sandbox/inbound", self._inbound)
        app.router.add_get("/sandbox/messages", self._everything)
        app.router.add_put("/control", self._control)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        """Take a posted message as the next step says."""
        self._check(request)
        form = dict(parse_qsl(await request.text(), keep_blank_values=True))
        self.posts += 1
        step: dict[str, Any] = self.steps.popleft() if self.steps else {"do": "take"}
        if step["do"] == "error":
            told = {"code": step["code"], "message": "as told", "more_info": "", "status": step["status"]}
            return web.json_response(told, status=step["status"])
        if step["do"] != "lose":
            message = self._keep(form, step)
            if step["do"] == "take":
                return web.json_response(_public(message), status=201)
        if step["do"] == "hang":
            await asyncio.sleep(3_600)
        if request.transport is not None:
            request.transport.abort()
        raise asyncio.CancelledError

    def _keep(self, form: Mapping[str, str], step: Mapping[str, Any]) -> dict[str, Any]:
        message = self._add(
            form.get("From") or form.get("MessagingServiceSid", ""),
            form["To"],
            form["Body"],
            direction="outbound-api",
            messaging_service_sid=form.get("MessagingServiceSid"),
            is_listed=step["do"] != "unlisted",
            callback=form.get("StatusCallback", ""),
        )
        self.say(f"to {message['to']} from {message['from']}: {message['body']}")
        if form.get("StatusCallback") and step.get("report") != "nothing":
            self._begin(self._report(message, form["StatusCallback"], step))
        return message

    async def _list(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response(self.list(dict(request.query)))

    async def _account(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response({"sid": self.account_sid, "status": "active", "type": "Full"})

    async def _numbers(self, request: web.Request) -> web.Response:
        self._check(request)
        numbers = [{"phone_number": request.query.get("PhoneNumber", ""), "capabilities": {"sms": True}}]
        return web.json_response({"incoming_phone_numbers": numbers})

    async def _inbound(self, request: web.Request) -> web.Response:
        return web.json_response(await self.bring_in(json.loads(await request.text())))

    async def _everything(self, _request: web.Request) -> web.Response:
        return web.json_response({"posts": self.posts, "messages": [_public(each) for each in self.messages]})

    async def _control(self, request: web.Request) -> web.Response:
        self.steps = deque(await request.json())
        return web.Response(status=204)

    def _check(self, request: web.Request) -> None:
        wanted = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {wanted}":
            told = json.dumps({"code": 20003, "message": "Authenticate", "status": 401})
            raise web.HTTPUnauthorized(text=told, content_type="application/json")

    def list(self, query: dict[str, str]) -> dict[str, Any]:
        """List messages, the newest first, filtered as the API does: by recipient, sender and day."""
        found = [
            _public(message)
            for message in reversed(self.messages)
            if message["is_listed"]
            and query.get("To", message["to"]) == message["to"]
            and query.get("From", message["from"]) == message["from"]
            and message["day"] >= query.get("DateSent>", "")
        ]
        return {"messages": found[:PAGE_MAX], "next_page_uri": None}

    async def bring_in(self, given: dict[str, Any]) -> dict[str, Any]:
        """Deliver a customer's message to the webhook, signed; return it with the webhook's answer."""
        message = self._add(
            given["from"],
            given.get("to") or self.own_number,
            given.get("text", ""),
            direction="inbound",
            is_listed=True,
        )
        if given.get("service"):
            message["messaging_service_sid"] = given["service"]
        if given.get("deliver") is False:  # as when every webhook failed: only the list has it
            return _public(message)
        pairs = {
            "ToCountry": "US",
            "SmsMessageSid": message["sid"],
            "NumMedia": "0",
            "ToCity": "",
            "FromZip": "94105",
            "SmsSid": message["sid"],
            "SmsStatus": "received",
            "Body": message["body"],
            "To": message["to"],
            "NumSegments": "1",
            "MessageSid": message["sid"],
            "AccountSid": self.account_sid,
            "From": message["from"],
            "ApiVersion": "2010-04-01",
            **({"MessagingServiceSid": given["service"]} if given.get("service") else {}),
            **given.get("parameters", {}),
        }
        answer = await self._call(given.get("webhook") or self.webhook_url, pairs)
        return {**_public(message), "answered": answer.status_code, "with": answer.text}

    async def close(self) -> None:
        """Stop to report."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.client.aclose()

    def _add(self, sender: str, recipient: str, body: str, **more: Any) -> dict[str, Any]:
        number = f"{self.account_sid} {len(self.messages)} {time.time_ns()}"
        message = {
            "sid": "SM" + hashlib.sha256(number.encode()).hexdigest()[:32],
            "from": sender,
            "to": recipient,
            "body": body,
            "status": "received" if more["direction"] == "inbound" else "queued",
            "date_created": formatdate(usegmt=True),
            "date_sent": formatdate(usegmt=True),
            "day": time.strftime("%Y-%m-%d", time.gmtime()),
            "error_code": None,
            "account_sid": self.account_sid,
            "num_segments": "1",
            "messaging_service_sid": None,
            **more,
        }
        self.messages.append(message)
        return message

    async def _report(self, message: dict[str, Any], callback: str, step: Mapping[str, Any]) -> None:
        """Report what becomes of a message."""
        last = step.get("report", "delivered")
        for state in (*_STATES[:-1], last):
            message["status"] = state
            code = str(step["code"]) if state == last and "code" in step else None
            message["error_code"] = code
            pairs = {
                "MessageSid": message["sid"],
                "SmsSid": message["sid"],
                "AccountSid": self.account_sid,
                "From": message["from"],
                "To": message["to"],
                "MessageStatus": state,
                "SmsStatus": state,
                "ApiVersion": "2010-04-01",
                **({"ErrorCode": code} if code else {}),
            }
            await self._call(callback, pairs)

    async def _call(self, url: str, pairs: dict[str, str]) -> httpx2.Response:
        headers = {
            "X-Twilio-Signature": sign_webhook(self.auth_token, url, pairs),
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
        }
        answer = None
        for attempt in range(TRIES_MAX):
            try:
                answer = await self.client.post(url, content=urlencode(pairs).encode(), headers=headers)
            except httpx2.HTTPError:
                answer = httpx2.Response(599)
            if answer.status_code < 500:  # noqa: PLR2004 - HTTP's classes
                break
            if attempt + 1 < TRIES_MAX:
                await asyncio.sleep(1)
        assert answer is not None  # noqa: S101 - for the type checker: it is tried at least once
        return answer

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def sign_webhook(token: str, url: str, pairs: Mapping[str, str]) -> str:
    """Sign as the provider documents it; nothing of the product's own code, which is tested with this."""
    text = url
    for name in sorted(pairs):
        text += name + pairs[name]
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


def _public(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in {"day", "is_listed", "callback"}}


@asynccontextmanager
async def serve_provider(provider: SmsProvider, *, port: int = 0) -> AsyncIterator[int]:
    """Serve on loopback until the end of the block; yields the port."""
    runner = web.AppRunner(provider.application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await provider.close()
        await runner.cleanup()
