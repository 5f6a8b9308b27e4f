"""The gateway's settings: ``DELTACLOUD_*``, and the original server's variables that still mean something."""

from __future__ import annotations

import platform
from typing import Annotated, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator

from deltacloud.settings import PREFIX, CommonSettings, Port, Seconds

KIB, MIB = 1024, 1024 * 1024
Bytes = Annotated[int, Field(ge=1)]


def _either(name: str, original: str) -> AliasChoices:
    return AliasChoices(f"{PREFIX}{name}".upper(), original)


class GatewaySettings(CommonSettings):
    """What the gateway has beside the common settings.

    ``default_driver`` and ``default_provider`` serve requests that name none; ``api_user`` and ``api_password``, when
    both are set, replace every caller's credentials. Sizes are bytes, times seconds.
    """

    host: str = Field(default="localhost", validation_alias=_either("host", "API_HOST"), description="bind address")
    port: Port = Field(
        default=3001, validation_alias=_either("port", "API_PORT"), description="port to serve at; 0 picks a free one"
    )
    default_driver: str = Field(
        default="mock",
        validation_alias=AliasChoices(f"{PREFIX}DRIVER", "API_DRIVER"),
        description="driver of requests that name none",
    )
    default_provider: str | None = Field(
        default=None,
        validation_alias=AliasChoices(f"{PREFIX}PROVIDER", "API_PROVIDER"),
        description="provider of requests that name none",
    )
    api_user: SecretStr | None = Field(
        default=None,
        validation_alias="API_USER",
        description="with API_PASSWORD: user name for every request, whatever its caller sends",
    )
    api_password: SecretStr | None = Field(
        default=None,
        validation_alias="API_PASSWORD",
        description="with API_USER: password for every request",
    )
    realm_host: str = Field(
        default_factory=platform.node,
        validation_alias="HOSTNAME",
        description="host name in the login prompt",
    )
    max_in_flight: int = Field(default=1000, ge=1, description="requests worked on at once; more get 503")
    max_connections: int = Field(default=4096, ge=1, description="connections open at once; more wait")
    max_header_bytes: Annotated[int, Field(ge=8 * KIB)] = Field(
        default=64 * KIB, description="size of a request's headers"
    )
    max_form_bytes: Bytes = Field(default=MIB, description="size of a form; blobs are not bounded by it")
    max_form_fields: int = Field(default=1000, ge=1, description="number of a form's fields")
    header_timeout_s: Seconds = Field(default=10.0, description="seconds a client may take to send its headers")
    body_timeout_s: Seconds = Field(default=20.0, description="seconds a client may stay silent inside a body")
    form_timeout_s: Seconds = Field(default=30.0, description="seconds a client may take to send a form")
    drain_s: Seconds = Field(default=30.0, description="seconds that requests in hand get at the end")

    @model_validator(mode="after")
    def _driver_names_are_lower_case(self) -> Self:
        object.__setattr__(self, "default_driver", self.default_driver.lower())
        return self

    @property
    def preset_credentials(self) -> tuple[str, str] | None:
        """The user and password used for every request, if both are set."""
        if self.api_user is None or self.api_password is None:
            return None
        return self.api_user.get_secret_value(), self.api_password.get_secret_value()
