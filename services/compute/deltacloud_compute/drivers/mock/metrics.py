"""Metrics."""

from __future__ import annotations

import random
import time

from deltacloud.drivers import Session
from deltacloud.models import Instance, Metric, MetricProperty, MetricSample
from deltacloud_compute.drivers.mock.base import MockOperations

UNITS = {
    "cpuUtilization": "Percent",
    "diskReadRequestCount": "Count",
    "diskReadSector": "Count",
    "diskWriteRequestCount": "Count",
    "diskWriteSector": "Count",
    "nicInputByte": "Bytes",
    "nicInputPacket": "Count",
    "nicOutputByte": "Bytes",
    "nicOutputPacket": "Count",
}
PERCENT = "Percent"
SAMPLES = 6


class MetricOperations(MockOperations):
    """One metric for each instance, of the same id; its samples are random."""

    def list_metrics(self, session: Session) -> list[Metric]:
        """Return what is measured of the caller's instances, without samples."""
        owner = session.credentials.user
        with self.cloud.read() as records:
            instances = [each for each in records.all(Instance) if each.owner_id == owner]
        properties = tuple(MetricProperty(id=name) for name in UNITS)
        return [Metric(id=each.id, entity=each.name, properties=properties) for each in instances]

    def get_metric(self, session: Session, id: str) -> Metric:
        """Return six samples, one a second back from now, of each quantity. Raises not_found."""
        with self.cloud.read() as records:
            instance = records.get(Instance, id)
        now = int(time.time())
        properties = tuple(
            MetricProperty(id=name, samples=tuple(_sample(now - back, unit) for back in range(SAMPLES)))
            for name, unit in UNITS.items()
        )
        return Metric(id=id, entity=instance.name, properties=properties)


def _sample(at: int, unit: str) -> MetricSample:
    low, high = random.randint(1, 49), random.randint(50, 99)  # noqa: S311 - made-up measurements
    values = (low, high, (low + high) // 2)
    minimum, maximum, average = (value / 100 for value in values) if unit == PERCENT else values
    return MetricSample(id=str(at), minimum=minimum, maximum=maximum, average=average, unit=unit)
