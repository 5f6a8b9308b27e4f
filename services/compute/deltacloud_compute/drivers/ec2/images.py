"""Images."""

from __future__ import annotations

from typing import Any

from deltacloud.catalogue.check import shown
from deltacloud.drivers import ComputeDriver, Session
from deltacloud.errors import NotFound
from deltacloud.models import Image
from deltacloud_compute.drivers.ec2 import convert, native

DEFAULT_OWNERS = ("self", "amazon")
"""Whose images are listed when no owner is named: the caller's, and Amazon's as the original did. Without any owner EC2
would list every public image there is, more than a hundred thousand; any other owner is a request away."""


class ImageOperations(ComputeDriver):
    """Machine images; kernels and the like are left out."""

    def list_images(
        self,
        session: Session,
        id: str | None = None,
        architecture: str | None = None,
        owner_id: str | None = None,
    ) -> list[Image]:
        """Return the images of an owner, sorted by owner and name. Source: DescribeImages, 1000 at a time.

        ``owner_id`` is an account's number, ``self``, ``amazon`` or ``aws-marketplace``; without one, see
        :data:`DEFAULT_OWNERS`, or the image named by ``id`` whoever owns it. Deprecated images of others are left out
        unless named.
        """
        wanted: dict[str, Any] = {"image_type": "machine", "architecture": architecture or None, "image_id": id}
        parameters: dict[str, Any] = {"Filters": native.filters(**wanted), "MaxResults": native.PAGE}
        if owner_id or id is None:
            parameters["Owners"] = [owner_id] if owner_id else list(DEFAULT_OWNERS)
        if id is not None:
            parameters["IncludeDeprecated"] = True
        with native.calling(session) as ec2:
            found = native.whole(ec2.describe_images, "Images", **parameters)
        return sorted((convert.image(each) for each in found), key=convert.image_order)

    def get_image(self, session: Session, id: str) -> Image:
        """Return an image, whoever owns it. Source: DescribeImages.

        Raises:
            NotFound: there is none, or the caller may not use it.
        """
        with native.calling(session) as ec2:
            for each in native.whole(ec2.describe_images, "Images", ImageIds=[id]):
                return convert.image(each)
        raise NotFound(f"There is no image {shown(id)}.")
