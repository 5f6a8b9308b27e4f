"""Calls over a real RabbitMQ, with a bare consumer at the other end that answers, is silent, or misbehaves."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pika
import pytest

from deltacloud import metrics
from deltacloud.errors import (
    BackendError,
    BrokerUnavailable,
    DeadlineExceeded,
    DeltacloudError,
    NoWorker,
    OutcomeUnknown,
    TooLarge,
    Unavailable,
)
from deltacloud.models import Image, Page
from deltacloud.providers.picture import Picture
from deltacloud.rpc.amqp import AmqpTransport
from deltacloud.rpc.context import CarriedCredentials, Context
from deltacloud.rpc.deadline import Deadline
from deltacloud.rpc.envelope import decode_call, encode_result
from deltacloud.rpc.seal import Opener, new_key
from harness.amqp_peer import Delivery, Peer
from harness.broker import Permissions
from harness.ports import free_port
from harness.waiting import wait_until

if TYPE_CHECKING:
    from harness.broker import Broker

pytestmark = [pytest.mark.anyio, pytest.mark.integration]
SERVICE = "compute.far"
CANARY = "canary-b1d4"
IMAGE = encode_result(Image(id="i"))
CREDENTIALS = CarriedCredentials(user=f"user-{CANARY}", password=f"password-{CANARY}")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def url(broker: Broker, vhost: str) -> str:
    return broker.url(vhost)


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[AmqpTransport]:
    async with AmqpTransport(url, **options) as transport:
        assert await transport.wait_ready(10)
        yield transport


@pytest.fixture
async def transport(url: str) -> AsyncIterator[AmqpTransport]:
    async with connected(url) as made:
        yield made


def context(deadline_s: float = 10, **fields: Any) -> Context:
    return Context(deadline=time.time() + deadline_s, request_id="request-1", **fields)


async def get_image(transport: AmqpTransport, deadline_s: float = 10, **fields: Any) -> Any:
    return await transport.call(SERVICE, "get_image", context(deadline_s, **fields), {"id": "i"})


async def create_key(transport: AmqpTransport, deadline_s: float = 10) -> Any:
    return await transport.call(SERVICE, "create_key", context(deadline_s), {"name": "k"})


async def until(check: Any, what: str) -> None:
    await asyncio.to_thread(wait_until, check, what)


def image(_: Delivery) -> bytes:
    return IMAGE


def silence(_: Delivery) -> None:
    return None


@pytest.fixture
def queue(url: str) -> Any:
    """Declares the service's queue as its workers would, bound or not, and leaves it without a consumer."""

    def declare(*, is_bound: bool) -> None:
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            channel = connection.channel()
            channel.exchange_declare("nameko-rpc", "topic", durable=True)
            channel.queue_declare(f"rpc-{SERVICE}", durable=True)
            if is_bound:
                channel.queue_bind(f"rpc-{SERVICE}", "nameko-rpc", f"{SERVICE}.*")

    return declare


# Nobody there


async def test_a_queue_that_outlived_its_workers_is_nobody_and_gets_no_message(
    transport: AmqpTransport, broker: Broker, vhost: str, queue: Any
) -> None:
    queue(is_bound=True)
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        with pytest.raises(NoWorker, match="nothing was started"):
            await create_key(transport)
        took.append(time.perf_counter() - begin)
    assert sorted(took)[2] < 0.1
    assert broker.messages(vhost, f"rpc-{SERVICE}") == []


async def test_a_returned_message_is_nobody(transport: AmqpTransport, url: str, queue: Any) -> None:
    queue(is_bound=False)
    with pika.BlockingConnection(pika.URLParameters(url)) as elsewhere:
        elsewhere.channel().basic_consume(f"rpc-{SERVICE}", lambda *_: None)
        with pytest.raises(NoWorker, match="nothing was started"):
            await create_key(transport)


async def test_a_worker_that_comes_after_a_refusal_is_found(transport: AmqpTransport, url: str) -> None:
    with pytest.raises(NoWorker):
        await get_image(transport)
    with Peer(url, SERVICE, image):
        assert await get_image(transport) == Image(id="i")


async def test_calls_that_ask_at_once_who_is_there_share_the_answer(transport: AmqpTransport, url: str) -> None:
    with Peer(url, SERVICE, image):
        await get_image(transport)
        await transport._has_asked.wait()
        connection = (await transport._link.desk()).wire._connection
        before = connection.frames_sent
        await asyncio.gather(*(get_image(transport) for _ in range(50)))
        assert connection.frames_sent - before == 50 + 1


# What goes out


async def test_a_call_is_transient_lives_until_its_deadline_and_names_its_reply_queue(
    transport: AmqpTransport, url: str, broker: Broker, vhost: str
) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with Peer(url, SERVICE, image) as peer:
        await get_image(transport, deadline_s=7, traceparent=trace)
    properties = peer.received[0].properties
    assert properties.delivery_mode == 1
    assert 5_000 < int(properties.expiration) <= 7_000
    assert (properties.content_type, properties.content_encoding) == ("application/json", "utf-8")
    assert properties.headers == {"traceparent": trace}
    assert properties.correlation_id
    assert properties.reply_to in broker.queue_names(vhost)
    assert decode_call(peer.received[0].body)[1] == {"id": "i"}


async def test_the_reply_queue_is_the_connections_alone_and_goes_with_it(url: str, broker: Broker, vhost: str) -> None:
    async with connected(url, name="gateway"):
        replies = [name for name in broker.queue_names(vhost) if name.startswith("rpc.reply-gateway-")]
        assert len(replies) == 1
        found = broker.request("GET", f"queues/{vhost}/{replies[0]}")
        assert (found["exclusive"], found["auto_delete"]) == (True, True)
    await until(lambda: broker.queue_names(vhost) == [], "the queues to go")


async def test_a_call_that_nobody_takes_in_time_is_never_delivered(transport: AmqpTransport, url: str) -> None:
    is_over = threading.Event()

    def busy(_: Delivery) -> bytes:
        is_over.wait(20)
        return IMAGE

    with Peer(url, SERVICE, busy, prefetch=1) as peer:
        first = asyncio.ensure_future(get_image(transport))
        await until(lambda: peer.received, "the worker to be busy")
        with pytest.raises(OutcomeUnknown):
            await create_key(transport, deadline_s=0.3)
        is_over.set()
        assert await first == Image(id="i")
        await get_image(transport)
    assert [delivery.method for delivery in peer.received] == ["get_image", "get_image"]


async def test_a_call_too_large_for_the_broker_is_refused_and_others_go_on(transport: AmqpTransport, url: str) -> None:
    with Peer(url, SERVICE, image):
        with pytest.raises(TooLarge, match="are allowed"):
            await transport.call(SERVICE, "create_key", context(), {"name": "k" * 9_000_000})
        assert await get_image(transport)


# Credentials


async def test_credentials_cross_the_broker_sealed_for_the_call_once_keys_are_known(
    transport: AmqpTransport, url: str
) -> None:
    opener = Opener([new_key()])
    transport.holder.update(Picture(issued_at=1, sealing_keys=opener.public_keys))
    with Peer(url, SERVICE, image) as peer:
        await get_image(transport, credentials=CREDENTIALS)
    arrived, _ = decode_call(peer.received[0].body)
    assert CANARY.encode() not in peer.received[0].body
    assert CANARY not in repr(peer.received[0].properties)
    assert arrived.credentials
    opened = opener.open(
        arrived.credentials,
        driver="far",
        method="get_image",
        request_id=arrived.request_id,
        deadline=Deadline(arrived.deadline or 0),
    )
    assert (opened.user, opened.password) == (CREDENTIALS.user, CREDENTIALS.password)


async def test_plain_credentials_are_not_sent_while_no_key_is_known(transport: AmqpTransport, url: str) -> None:
    with Peer(url, SERVICE, image) as peer:
        with pytest.raises(Unavailable, match="nothing was started") as caught:
            await get_image(transport, credentials=CREDENTIALS)
        assert await get_image(transport)
    assert CANARY not in str(caught.value.to_record())
    assert len(peer.received) == 1


async def test_plain_credentials_are_sent_without_a_key_only_where_that_is_allowed(url: str) -> None:
    with Peer(url, SERVICE, image) as peer:
        async with connected(url, allow_plain=True) as transport:
            await get_image(transport, credentials=CREDENTIALS)
            transport.holder.update(Picture(issued_at=1, sealing_keys=Opener([new_key()]).public_keys))
            await get_image(transport, credentials=CREDENTIALS)
    assert [CANARY.encode() in delivery.body for delivery in peer.received] == [True, False]


async def test_the_registry_is_sent_no_credentials(transport: AmqpTransport, url: str) -> None:
    with Peer(url, "registry", lambda _: encode_result(Picture())) as registry:
        await transport.call("registry", "get_picture", context(credentials=CREDENTIALS), {})
    assert CANARY.encode() not in registry.received[-1].body


# The picture


async def test_the_picture_is_asked_for_at_the_start_and_the_first_call_waits_for_its_keys(url: str) -> None:
    opener = Opener([new_key()])
    picture = Picture(version=3, issued_at=5, sealing_keys=opener.public_keys)
    with Peer(url, "registry", lambda _: encode_result(picture)), Peer(url, SERVICE, image) as peer:
        async with AmqpTransport(url) as transport:
            await get_image(transport, credentials=CREDENTIALS)
            assert transport.holder.current == picture
    assert CANARY.encode() not in peer.received[0].body


async def test_every_broadcast_picture_is_kept_and_noise_is_not(transport: AmqpTransport, url: str) -> None:
    await asyncio.wait_for(transport._has_asked.wait(), 10)
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        for body in (
            msgspec.json.encode(Picture(issued_at=1)),
            b"\xff noise",
            b"[]",
            b'{"version": 8, "issued_at": 2}',
        ):
            channel.basic_publish("deltacloud-events", "registry.picture", body)
    await until(lambda: transport.holder.current.version == 8, "the picture")
    assert transport.is_ready


# Replies that are late or wrong


async def test_a_late_reply_is_counted_and_dropped(transport: AmqpTransport, url: str) -> None:
    may_answer = threading.Event()

    def slow(_: Delivery) -> bytes:
        may_answer.wait(20)
        return IMAGE

    before = metrics.LATE_REPLIES._value.get()
    with Peer(url, SERVICE, slow):
        with pytest.raises(DeadlineExceeded):
            await get_image(transport, deadline_s=0.3)
        may_answer.set()
        assert await get_image(transport) == Image(id="i")
        assert metrics.LATE_REPLIES._value.get() == before + 1


@pytest.mark.parametrize(
    "reply",
    [b"", b"\xff\xfe", b"[]", b'{"result": {"name": 3}}', b'{"result": null', b'{"result": null, "error": null}'],
)
async def test_a_reply_that_cannot_be_read_is_an_error_of_its_own_call(
    transport: AmqpTransport, url: str, reply: bytes
) -> None:
    answers = iter([reply, IMAGE])
    with Peer(url, SERVICE, lambda _: next(answers)):
        with pytest.raises(BackendError, match="reply to get_image cannot be read"):
            await get_image(transport)
        assert await get_image(transport) == Image(id="i")


async def test_a_foreign_error_is_told_without_its_fields(transport: AmqpTransport, url: str) -> None:
    error = {"exc_type": "KeyError", "exc_path": "builtins.KeyError", "exc_args": [CANARY], "value": CANARY}
    reply = msgspec.json.encode({"result": None, "error": error})
    with Peer(url, SERVICE, lambda _: reply), pytest.raises(DeltacloudError, match="not of this protocol") as caught:
        await get_image(transport)
    assert CANARY not in str(caught.value.to_record())


async def test_a_reply_to_nobodys_call_harms_nothing(transport: AmqpTransport, url: str) -> None:
    with Peer(url, SERVICE, image) as peer:
        await get_image(transport)
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            for correlation_id in (None, "", "unknown", peer.received[0].properties.correlation_id):
                properties = pika.BasicProperties(correlation_id=correlation_id)
                connection.channel().basic_publish(
                    "nameko-rpc", peer.received[0].properties.reply_to, b"{}", properties
                )
        assert await get_image(transport) == Image(id="i")


# A broker that goes, comes, refuses or is full


@pytest.mark.slow
@pytest.mark.parametrize("end", ["stop", "kill9"])
async def test_a_broker_restart_under_load_fails_calls_clearly_and_is_over_at_once(
    own_broker: Broker, end: str
) -> None:
    url = own_broker.url("/")
    may_answer = threading.Event()

    def held(delivery: Delivery) -> bytes | None:
        if delivery.method == "list_images":
            return encode_result(Page[Image](items=[]))
        may_answer.wait(60)
        return IMAGE

    async with connected(url) as transport:
        with Peer(url, SERVICE, held) as peer:
            reads = [asyncio.ensure_future(get_image(transport, 60)) for _ in range(10)]
            creates = [asyncio.ensure_future(create_key(transport, 60)) for _ in range(10)]
            await until(lambda: len(peer.received) == 20, "the calls to be in hand")
            begin = time.perf_counter()
            await asyncio.to_thread(getattr(own_broker, end))
            endings = await asyncio.gather(*reads, *creates, return_exceptions=True)
            assert {type(ending) for ending in endings[:10]} == {BrokerUnavailable}
            assert {type(ending) for ending in endings[10:]} == {OutcomeUnknown}
            assert time.perf_counter() - begin < 15

            assert not transport.is_ready
            begin = time.perf_counter()
            with pytest.raises(BrokerUnavailable, match="nothing was started") as caught:
                await create_key(transport)
            assert time.perf_counter() - begin < 2
            assert caught.value.retry_after_s

            await asyncio.to_thread(own_broker.start)
            begin = time.perf_counter()
            assert await transport.wait_ready(10)
            assert time.perf_counter() - begin < 2
            await until(lambda: peer.is_consuming, "the worker to be back")
            assert await transport.call(SERVICE, "list_images", context(), {}) == Page(items=[])
        may_answer.set()


async def test_a_short_loss_of_the_connection_is_waited_for(transport: AmqpTransport, url: str) -> None:
    with Peer(url, SERVICE, image):
        assert await get_image(transport)
        desk = await transport._link.desk()
        desk.wire._connection._transport._sock.shutdown(socket.SHUT_RDWR)
        await desk.lost
        assert not transport.is_ready
        assert await get_image(transport) == Image(id="i")


async def test_an_exchange_that_is_deleted_is_made_again(
    transport: AmqpTransport, broker: Broker, vhost: str, url: str
) -> None:
    with Peer(url, SERVICE, image):
        await get_image(transport)
        broker.request("DELETE", f"exchanges/{vhost}/nameko-rpc")
        with pytest.raises(OutcomeUnknown, match="was lost while create_key"):
            await create_key(transport)
    with Peer(url, SERVICE, image):
        assert await get_image(transport) == Image(id="i")


async def test_closing_ends_the_calls_in_hand(url: str) -> None:
    with Peer(url, SERVICE, silence) as peer:
        async with connected(url) as transport:
            calls = [asyncio.ensure_future(get_image(transport)), asyncio.ensure_future(create_key(transport))]
            await until(lambda: len(peer.received) == 2, "the calls to be in hand")
        read, create = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(read, BrokerUnavailable)
    assert isinstance(create, OutcomeUnknown)


@pytest.fixture
def unused_url() -> str:
    return f"amqp://user:{CANARY}@127.0.0.1:{free_port()}/"


async def test_a_broker_that_is_not_there_is_told_within_its_second(unused_url: str) -> None:
    async with AmqpTransport(unused_url) as transport:
        assert not transport.is_ready
        begin = time.perf_counter()
        with pytest.raises(BrokerUnavailable, match="cannot be reached; nothing was started"):
            await create_key(transport)
        assert 0.5 < time.perf_counter() - begin < 2
        with pytest.raises(DeadlineExceeded, match="nothing was started"):
            await create_key(transport, deadline_s=0.2)


async def test_a_wrong_password_is_a_broker_that_cannot_be_reached(broker: Broker, vhost: str) -> None:
    async with AmqpTransport(broker.url(vhost, password=CANARY)) as transport:
        with pytest.raises(BrokerUnavailable) as caught:
            await get_image(transport)
    assert CANARY not in str(caught.value.to_record())


@pytest.mark.parametrize("url", [f"amqp://u:{CANARY}@host:port/", f"amqp://u:{CANARY}@host/%2F?heartbeat=often"])
async def test_a_wrong_url_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="URL cannot be read") as caught:
        AmqpTransport(url)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_caller_needs_no_more_rights_than_its_own_queues_and_the_two_exchanges(
    broker: Broker, vhost: str, url: str
) -> None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        connection.channel().exchange_declare("deltacloud-events", "topic", durable=True)
    own = r"(rpc\.reply|picture)-gateway-.*"
    rights = Permissions(
        configure=f"^{own}$", write=f"^({own}|nameko-rpc)$", read=f"^({own}|nameko-rpc|deltacloud-events)$"
    )
    user = f"gateway-{vhost}"
    broker.add_user(user, CANARY, {vhost: rights})
    with Peer(url, SERVICE, image), Peer(url, "registry", lambda _: encode_result(Picture(version=7, issued_at=1))):
        async with connected(broker.url(vhost, username=user, password=CANARY), name="gateway") as transport:
            assert await get_image(transport) == Image(id="i")
            await until(lambda: transport.holder.current.version == 7, "the picture")


@pytest.mark.slow
async def test_a_broker_short_of_memory_ends_calls_by_their_deadline_and_serves_again_later(own_broker: Broker) -> None:
    url = own_broker.url("/")
    async with connected(url) as transport:
        with Peer(url, SERVICE, image):
            assert await get_image(transport)
            await asyncio.to_thread(own_broker.control, "set_vm_memory_high_watermark", "absolute", "1")
            begin = time.perf_counter()
            endings = await asyncio.gather(*(create_key(transport, 1) for _ in range(5)), return_exceptions=True)
            assert {type(ending) for ending in endings} <= {OutcomeUnknown, DeadlineExceeded}
            with pytest.raises(DeadlineExceeded, match="nothing was started"):
                await create_key(transport, 0.5)
            assert time.perf_counter() - begin < 3
            await asyncio.to_thread(own_broker.control, "set_vm_memory_high_watermark", "absolute", "512MB")
            assert await get_image(transport) == Image(id="i")
