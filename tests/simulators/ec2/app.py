"""The simulated EC2 as an HTTP application: the API at ``/``, the control endpoint at ``/_control/…``."""

from __future__ import annotations

import base64
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from simulators.ec2 import actions_access, actions_images, actions_instances, actions_places, actions_run
from simulators.ec2.actions import Action
from simulators.ec2.document import failure, response
from simulators.ec2.errors import ApiError, missing_parameter, ordered_by_a_test, throttled
from simulators.ec2.parameters import COMMON, Parameters
from simulators.ec2.records import Instance
from simulators.ec2.seeds import Kind, seed, seed_basics
from simulators.ec2.signature import Verifier
from simulators.ec2.state import Region, Settings
from simulators.faults import Fault, FaultTable
from simulators.serving import Reply, Request, json_reply

VERSION = "2016-11-15"
CONTROL = "/_control/"
ACTIONS: dict[str, Action] = {
    **actions_places.ACTIONS,
    **actions_images.ACTIONS,
    **actions_access.ACTIONS,
    **actions_instances.ACTIONS,
    **actions_run.ACTIONS,
}
Order = Callable[[bytes], object]


class Ec2:
    """One region of EC2 with its control endpoint. ``seeds`` says how many of what it starts with."""

    def __init__(
        self,
        verifier: Verifier,
        region: str,
        settings: Settings,
        seeds: Mapping[Kind, int],
        stopping: threading.Event,
    ) -> None:
        self._verifier = verifier
        self._region_name = region
        self._initial = settings
        self._seeds = seeds
        self._faults = FaultTable(stopping)
        self._calls: Counter[str] = Counter()
        self._region = self._fresh_region()
        self._orders: dict[tuple[str, str], Order] = {
            ("GET", "calls"): self._count_of_calls,
            ("DELETE", "calls"): self._forget_calls,
            ("GET", "faults"): self._remaining_faults,
            ("PUT", "faults"): self._replace_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "seed"): self._seed,
            ("GET", "instances"): self._instances,
            ("PUT", "settings"): self._change_settings,
            ("POST", "reset"): self._reset,
        }

    def __call__(self, request: Request) -> Reply:
        """Answer a request."""
        if request.path.startswith(CONTROL):
            return self._control(request)
        if request.path != "/" or request.method not in {"GET", "POST"}:
            return Reply(status=404)
        try:
            parameters = Parameters.parse(request.body.decode() if request.method == "POST" else request.query)
        except (ApiError, UnicodeDecodeError):
            return _failed(ApiError("MalformedQueryString", "The query string contains a syntax error"))
        name = parameters.text("Action") or ""
        self._calls[name] += 1
        return self._faults.run(name, lambda: self._call(request, name, parameters), _refusal)

    def _call(self, request: Request, name: str, parameters: Parameters) -> Reply:
        try:
            self._verifier.verify(request)
            return self._act(name, parameters)
        except ApiError as error:
            return _failed(error)

    def _act(self, name: str, parameters: Parameters) -> Reply:
        for common in sorted(COMMON):
            if not parameters.text(common):
                raise missing_parameter(common)
        action = ACTIONS.get(name)
        if action is None:
            raise ApiError("InvalidAction", f"The action {name} is not valid for this web service.")
        version = parameters.text("Version")
        if version != VERSION:
            raise ApiError("NoSuchVersion", f"The requested version ({version}) of service AmazonEC2 does not exist")
        parameters.check(action.accepts, action.requires)
        region = self._region
        with region.lock:
            region.settle()
            fields = action.run(region, parameters)
        request_id = str(uuid.uuid4())
        return _xml(200, response(name, request_id, fields), request_id)

    def _control(self, request: Request) -> Reply:
        order = self._orders.get((request.method, request.path.removeprefix(CONTROL)))
        if order is None:
            known = ", ".join(f"{method} {CONTROL}{what}" for method, what in self._orders)
            return json_reply({"error": f"no such order; there are: {known}"}, 404)
        try:
            return json_reply(order(request.body))
        except (msgspec.DecodeError, ValueError) as error:
            return json_reply({"error": str(error)}, 400)

    def _fresh_region(self) -> Region:
        # A copy, since the settings of the running simulator can be changed.
        region = Region(self._region_name, msgspec.structs.replace(self._initial))
        seed_basics(region)
        for kind, how_many in self._seeds.items():
            seed(region, kind, how_many)
        return region

    def _count_of_calls(self, _: bytes) -> object:
        return dict(self._calls)

    def _forget_calls(self, _: bytes) -> object:
        self._calls.clear()
        return {}

    def _remaining_faults(self, _: bytes) -> object:
        return msgspec.to_builtins(self._faults.remaining())

    def _replace_faults(self, document: bytes) -> object:
        self._faults.replace(document)
        return {}

    def _clear_faults(self, _: bytes) -> object:
        self._faults.clear()
        return {}

    def _reset(self, _: bytes) -> object:
        self._faults.clear()
        self._calls.clear()
        self._region = self._fresh_region()
        return {}

    def _seed(self, document: bytes) -> object:
        counts = msgspec.json.decode(document, type=dict[Kind, int])
        with self._region.lock:
            return {kind: seed(self._region, kind, how_many) for kind, how_many in counts.items()}

    def _change_settings(self, document: bytes) -> object:
        with self._region.lock:
            self._region.settle()
            changes = msgspec.json.decode(document, type=dict[str, object])
            now = {**msgspec.to_builtins(self._region.settings), **changes}
            self._region.settings = msgspec.convert(now, Settings)
            return now

    def _instances(self, _: bytes) -> object:
        with self._region.lock:
            self._region.settle()
            return [_truth(instance) for instance in self._region.instances.values()]


def _truth(instance: Instance) -> dict[str, object]:
    """Describe a machine for tests, user data and all."""
    launch = instance.launch
    return {
        "id": instance.id,
        "reservation_id": instance.reservation_id,
        "state": instance.state.label,
        "image_id": launch.image.id,
        "type": launch.hardware.name,
        "zone": launch.subnet.zone.name,
        "subnet_id": launch.subnet.id,
        "key_name": launch.key_name,
        "groups": [group.name for group in launch.groups],
        "user_data": base64.b64encode(launch.user_data).decode(),
        "is_monitored": launch.is_monitored,
        "client_token": launch.client_token,
        "devices": [msgspec.to_builtins(device) for device in launch.devices],
        "tags": instance.tags,
    }


def _failed(error: ApiError) -> Reply:
    request_id = str(uuid.uuid4())
    return _xml(error.status, failure(error, request_id), request_id)


def _refusal(fault: Fault) -> Reply:
    return _failed(ordered_by_a_test(fault.error) if fault.error else throttled())


def _xml(status: int, body: bytes, request_id: str) -> Reply:
    return Reply(
        status=status,
        body=body,
        content_type="text/xml;charset=UTF-8",
        headers={"x-amzn-requestid": request_id, "Server": "AmazonEC2"},
    )
