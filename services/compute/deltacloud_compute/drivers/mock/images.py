"""Images."""

from __future__ import annotations

import msgspec

from deltacloud.drivers import Session
from deltacloud.drivers.mockcloud import Changes, check_name, fresh_id
from deltacloud.models import Image, Instance
from deltacloud_compute.drivers.mock import convert
from deltacloud_compute.drivers.mock.base import MockOperations
from deltacloud_compute.drivers.mock.errors import no_image_of
from deltacloud_compute.drivers.mock.realms import PROFILES

MADE_BY = "root"
MADE_ARCHITECTURE = "i386"
OWN = "self"


class ImageOperations(MockOperations):
    """Images. All of them run on every hardware profile."""

    def list_images(
        self, session: Session, architecture: str | None = None, owner_id: str | None = None
    ) -> list[Image]:
        """Return the images, sorted by owner and description; ``self`` as owner is the caller."""
        owner = session.credentials.user if owner_id == OWN else owner_id
        with self.cloud.read() as records:
            images = records.all(Image)
        return [
            convert.image_with_profiles(image, PROFILES)
            for image in sorted(images, key=convert.image_order)
            if architecture in {None, image.architecture} and owner in {None, image.owner_id}
        ]

    def get_image(self, session: Session, id: str) -> Image:
        """Return an image. Raises not_found."""
        with self.cloud.read() as records:
            return convert.image_with_profiles(records.get(Image, id), PROFILES)

    def create_image(
        self, session: Session, instance_id: str, name: str | None = None, description: str | None = None
    ) -> Image:
        """Make an image of an instance, over one of the same name if there is one; its name is its id.

        Raises not_found, and backend_error for an instance that does not allow it.
        """
        draft = Image(
            id="" if name is None else check_name(name),
            description=description,
            owner_id=MADE_BY,
            architecture=MADE_ARCHITECTURE,
            state="AVAILABLE",
        )

        def finish(changes: Changes, draft: Image) -> Image:
            if not changes.get(Instance, instance_id).can_create_image:
                raise no_image_of(instance_id)
            name = draft.id or fresh_id(changes, Image, "img_")
            image = msgspec.structs.replace(draft, id=name, name=name)
            changes.put(image)
            return image

        return self.cloud.create(session, draft, finish)

    def destroy_image(self, session: Session, id: str) -> None:
        """Destroy an image; one that is not there is no error."""
        with self.cloud.change() as changes:
            changes.remove(Image, id)
