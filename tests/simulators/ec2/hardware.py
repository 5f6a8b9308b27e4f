"""The instance types of the region: shapes as the vendor publishes them, of about 130 types."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from simulators.ec2.document import Fields

VCPUS_BY_SIZE = {
    "medium": 1,
    "large": 2,
    "xlarge": 4,
    **{f"{number}xlarge": number * 4 for number in (2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 32)},
}
_X86, _ARM, _OLD = ("x86_64",), ("arm64",), ("i386", "x86_64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """An instance type. ``disk_gb`` is the size of one local disk, 0 where there is only network storage."""

    number: int
    name: str
    vcpus: int
    memory_mib: int
    architectures: tuple[str, ...]
    disk_gb: int = 0
    disks: int = 1
    is_current: bool = True
    is_burstable: bool = False

    @property
    def root_device_types(self) -> list[str]:
        """Where the root disk of a machine of this type may live."""
        return ["ebs", "instance-store"] if self.disk_gb and not self.is_current else ["ebs"]


# name: vCPUs, MiB, architectures, GB of a local disk, number of local disks
_PREVIOUS: dict[str, tuple[int, int, tuple[str, ...], int, int]] = {
    "t1.micro": (1, 627, _OLD, 0, 0),
    "m1.small": (1, 1740, _OLD, 160, 1),
    "m1.medium": (1, 3788, _OLD, 410, 1),
    "m1.large": (2, 7680, _X86, 420, 2),
    "m1.xlarge": (4, 15360, _X86, 420, 4),
    "c1.medium": (2, 1740, _OLD, 350, 1),
    "c1.xlarge": (8, 7168, _X86, 420, 4),
    "m2.xlarge": (2, 17510, _X86, 420, 1),
    "m2.2xlarge": (4, 35020, _X86, 850, 1),
    "m2.4xlarge": (8, 70041, _X86, 840, 2),
    "m3.medium": (1, 3840, _X86, 4, 1),
    "m3.large": (2, 7680, _X86, 32, 1),
    "m3.xlarge": (4, 15360, _X86, 40, 2),
    "m3.2xlarge": (8, 30720, _X86, 80, 2),
}

# family: architectures, vCPUs of the sizes below medium
_BURSTABLE = {"t2": (_X86, 1), "t3": (_X86, 2), "t3a": (_X86, 2), "t4g": (_ARM, 2)}
# size: MiB, vCPUs (0: as the family says)
_BURSTABLE_SIZES = {
    "nano": (512, 0),
    "micro": (1024, 0),
    "small": (2048, 0),
    "medium": (4096, 2),
    "large": (8192, 2),
    "xlarge": (16384, 4),
    "2xlarge": (32768, 8),
}

_M5 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"
_C5 = "large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge"
_G6 = "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"
_I6 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"
_I3 = "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"
# family: architectures, MiB for a vCPU, GB of local disk for a vCPU, sizes
_FAMILIES: dict[str, tuple[tuple[str, ...], int, float, str]] = {
    "m5": (_X86, 4096, 0, _M5),
    "m5d": (_X86, 4096, 37.5, _M5),
    "m6g": (_ARM, 4096, 0, _G6),
    "m6i": (_X86, 4096, 0, _I6),
    "c5": (_X86, 2048, 0, _C5),
    "c6g": (_ARM, 2048, 0, _G6),
    "c6i": (_X86, 2048, 0, _I6),
    "r5": (_X86, 8192, 0, _M5),
    "r6g": (_ARM, 8192, 0, _G6),
    "r6i": (_X86, 8192, 0, _I6),
    "i3": (_X86, 7808, 237.5, _I3),
}


def _all_types() -> list[Hardware]:
    numbers = count(1)
    previous = [
        Hardware(
            number=next(numbers),
            name=name,
            vcpus=vcpus,
            memory_mib=memory,
            architectures=architectures,
            disk_gb=disk,
            disks=disks,
            is_current=False,
        )
        for name, (vcpus, memory, architectures, disk, disks) in _PREVIOUS.items()
    ]
    burstable = [
        Hardware(
            number=next(numbers),
            name=f"{family}.{size}",
            vcpus=vcpus or small_vcpus,
            memory_mib=memory,
            architectures=_OLD if family == "t2" and memory <= 4096 else architectures,
            is_burstable=True,
        )
        for family, (architectures, small_vcpus) in _BURSTABLE.items()
        for size, (memory, vcpus) in _BURSTABLE_SIZES.items()
    ]
    regular = [
        Hardware(
            number=next(numbers),
            name=f"{family}.{size}",
            vcpus=VCPUS_BY_SIZE[size],
            memory_mib=VCPUS_BY_SIZE[size] * memory,
            architectures=architectures,
            disk_gb=int(VCPUS_BY_SIZE[size] * disk),
        )
        for family, (architectures, memory, disk, sizes) in _FAMILIES.items()
        for size in sizes.split()
    ]
    return [*previous, *burstable, *regular]


HARDWARE = {one.name: one for one in _all_types()}


def hardware_fields(one: Hardware) -> Fields:
    """Describe a type as DescribeInstanceTypes does."""
    threads = 2 if one.vcpus > 1 and "arm64" not in one.architectures else 1
    disks = [{"sizeInGB": one.disk_gb, "count": one.disks, "type": "ssd" if one.is_current else "hdd"}]
    return {
        "instanceType": one.name,
        "currentGeneration": one.is_current,
        "freeTierEligible": one.name in {"t2.micro", "t3.micro"},
        "supportedUsageClasses": ["on-demand", "spot"],
        "supportedRootDeviceTypes": one.root_device_types,
        "supportedVirtualizationTypes": ["hvm"] if one.is_current else ["hvm", "paravirtual"],
        "bareMetal": False,
        "hypervisor": "nitro" if one.is_current and not one.name.startswith(("t2.", "i3.")) else "xen",
        "processorInfo": {
            "supportedArchitectures": list(one.architectures),
            "sustainedClockSpeedInGhz": 2.5,
        },
        "vCpuInfo": {
            "defaultVCpus": one.vcpus,
            "defaultCores": one.vcpus // threads,
            "defaultThreadsPerCore": threads,
        },
        "memoryInfo": {"sizeInMiB": one.memory_mib},
        "instanceStorageSupported": one.disk_gb > 0,
        "instanceStorageInfo": {"totalSizeInGB": one.disk_gb * one.disks, "disks": disks} if one.disk_gb else None,
        "ebsInfo": {"ebsOptimizedSupport": "default", "encryptionSupport": "supported"},
        "burstablePerformanceSupported": one.is_burstable,
        "hibernationSupported": False,
        "dedicatedHostsSupported": False,
        "autoRecoverySupported": one.is_current,
    }
