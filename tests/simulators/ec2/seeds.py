"""What a region holds before anybody made anything, and more of it on demand."""

from __future__ import annotations

import time
from typing import Literal

from simulators.ec2.hardware import HARDWARE
from simulators.ec2.records import ACCOUNT, AMAZON, Image, Launch, State, fixed_id
from simulators.ec2.state import DAY_S, Region

BASE_IMAGE = "al2023-ami-2023.9-kernel-6.12-x86_64"
OWN_IMAGE = "our-golden-image"
DATA_SNAPSHOT = "data-snapshot"

Kind = Literal["instances", "images", "snapshots", "security_groups"]


def seed_basics(region: Region) -> None:
    """Give the region images of every sort a caller must tell apart, and a snapshot of the account's own."""
    region.add_snapshot(DATA_SNAPSHOT)
    _add_image(region, BASE_IMAGE)
    _add_image(region, "al2023-ami-2023.9-kernel-6.12-arm64", architecture="arm64")
    _add_image(region, "amzn-ami-2014.03-i386-ebs", architecture="i386")
    _add_image(region, "amzn-ami-2011.09-i386-s3", architecture="i386", is_on_instance_store=True)
    _add_image(region, "amzn2-ami-hvm-2.0-x86_64-old", is_deprecated=True)
    _add_image(region, "pv-grub-hd0_1.04-x86_64.gz", kind="kernel", is_on_instance_store=True)
    _add_image(region, OWN_IMAGE, owner_id=ACCOUNT, owner_alias=None, is_public=False)
    _add_image(region, "ubuntu-noble-24.04-amd64-server", owner_id="099720109477", owner_alias=None)


def seed(region: Region, kind: Kind, how_many: int) -> list[str]:
    """Make resources in bulk and give their ids. Machines are running, and launched a day ago."""
    start = next(region.numbers)
    names = [f"seeded-{place}" for place in range(start, start + how_many)]
    if kind == "images":
        return [_add_image(region, f"amzn2-ami-hvm-{name}-x86_64-gp2").id for name in names]
    if kind == "snapshots":
        return [region.add_snapshot(name).id for name in names]
    if kind == "security_groups":
        return [region.add_group(name, "seeded", region.vpc_id).id for name in names]
    return [_add_instance(region, place, name) for place, name in enumerate(names)]


def _add_instance(region: Region, place: int, name: str) -> str:
    subnets = list(region.subnets.values())
    launch = Launch(
        image=region.images[fixed_id("ami", BASE_IMAGE)],
        hardware=HARDWARE["m1.small"],
        subnet=subnets[place % len(subnets)],
        groups=(region.default_group,),
        key_name=None,
        user_data=b"",
        is_monitored=False,
        client_token="",
        tags={"Name": name},
        devices=(),
    )
    instance = region.launch(launch, 1, time.time() - DAY_S).instances[0]
    region.move(instance, State.RUNNING)
    return instance.id


def _add_image(
    region: Region,
    name: str,
    *,
    architecture: str = "x86_64",
    owner_id: str = AMAZON,
    owner_alias: str | None = "amazon",
    kind: str = "machine",
    is_on_instance_store: bool = False,
    is_public: bool = True,
    is_deprecated: bool = False,
) -> Image:
    image = Image(
        number=next(region.numbers),
        id=fixed_id("ami", name),
        name=name,
        description=f"{name}, simulated",
        created=time.time() - DAY_S,
        architecture=architecture,
        owner_id=owner_id,
        owner_alias=owner_alias,
        kind=kind,
        snapshot=None if is_on_instance_store else region.add_snapshot(name, owner_id, owner_alias),
        is_public=is_public,
        is_deprecated=is_deprecated,
    )
    region.images[image.id] = image
    return image
