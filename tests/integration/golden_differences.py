"""Where we answer otherwise than the original on purpose: by reason, the exchanges and the aspects that differ.

Reasons cite the wire reference's list of known bugs (§15.1), or say why.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    """Aspects in which an answer differs from the recorded one, and the reason."""

    aspects: frozenset[str]
    reason: str


ACCEPTED: dict[tuple[str, str], Difference] = {}


def _accept(reason: str, aspects: str, session: str, *names: str) -> None:
    for name in names:
        ACCEPTED[session, name] = Difference(frozenset(aspects.split()), reason)


_accept("§15.1 #1: the index page is always HTML", "status", "entry", "index page xml")

_LENIENT = "§15.1 #2: an Accept that the original could not parse is read as far as possible"
_accept(
    _LENIENT,
    "status content-type body x-deltacloud-driver",
    "negotiation",
    "accept 'application/xml; charset=utf-8'",
)
_accept(
    _LENIENT,
    "status x-deltacloud-driver",
    "negotiation",
    "accept 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2'",
)
_accept(
    "§15.1 #3: parameters of a type are ignored, wildcards are honoured",
    "status content-type body x-deltacloud-driver",
    "negotiation",
    "accept 'text/*'",
    "accept 'application/xml;charset=utf-8'",
)
_accept("§15.1 #4: q=0 is a refusal", "status content-type body", "negotiation", "accept 'application/json;q=0'")
_accept(
    "§15.1 #7: format= decides alone",
    "status content-type body x-deltacloud-driver",
    "negotiation",
    "format=xml with unacceptable accept",
)

_SAYS_WHY = "§15.1 #6: 406 is decided before the operation runs, and its body says what is offered"
_accept(
    _SAYS_WHY, "content-type body x-deltacloud-driver", "negotiation", "accept 'application/unknown'", "format=bogus"
)
_accept(_SAYS_WHY, "content-type body", "negotiation", "accept 'image/png'", "form page as xml")
_accept(_SAYS_WHY, "content-type", "instances", "head run is the form")

_accept("§15.1 #8: element text is escaped", "body", "instances", "instance create with features")
_accept(
    "§15.1 #9: a provider is echoed as it was sent", "x-deltacloud-provider", "preset", "header beats preset provider"
)

_NEGOTIATED = "§15.1 #18: a refusal before the driver is called is an error body in the negotiated format"
_accept(_NEGOTIATED, "content-type body", "entry", "force_auth wrong password", "no host header")
_accept(_NEGOTIATED, "content-type body", "auth", "missing parameter before credentials")
_accept(
    _NEGOTIATED, "content-type body", "images", "image create missing parameter", "image create missing parameter json"
)
_accept(
    _NEGOTIATED,
    "content-type body",
    "instances",
    "instance create missing image",
    "instance create missing image json",
    "instance create json body not parsed",
    "run missing cmd",
)
_accept(_NEGOTIATED, "content-type body", "addresses", "associate missing instance")
_accept(_NEGOTIATED, "content-type body", "storage_snapshots", "snapshot create missing volume")
_accept(_NEGOTIATED, "content-type body", "buckets", "bucket create missing name")
_accept(_NEGOTIATED, "content-type body", "blobs", "blob post missing data", "blob post missing all json")
_accept(_NEGOTIATED, "content-type body", "networks", "subnet create missing parameter", "nic create missing parameter")

_accept(
    "§15.1 #19: an action on an unknown instance is 404",
    "status body",
    "instances",
    "destroy again",
    "stop unknown",
    "stop unknown json",
)
_accept(
    "§15.1 #20: an unknown driver is an error body",
    "content-type body",
    "drivers",
    "driver unknown",
    "driver unknown json",
)
_accept(
    "§15.1 #21: an unknown path is an error body",
    "content-type body",
    "entry",
    "unknown collection",
    "trailing slash on collection",
)
_accept("§15.1 #21: an unknown path is an error body", "content-type", "realms", "options realm id")
_accept(
    "§15.1 #21: a wrong method is 405 with Allow",
    "status content-type body allow",
    "entry",
    "put on collection",
    "delete on realm",
)
_accept(
    "§15.1 #22: unknown hardware profiles are an empty list",
    "status body",
    "images",
    "image create json fails after creating",
)
_accept("§15.1 #23: gv is the graph's source", "status body", "instance_states", "states gv")
_accept("§15.1 #24: the form of run works", "status", "instances", "run form")
_accept("§15.1 #31: no realm is null", "body", "storage_volumes_named", "volume create json named")
_accept("§15.1 #32: a snapshot that was given a name shows it", "body", "storage_snapshots", "snapshot create")
_accept("§15.1 #33: a bucket's size is a number", "body", "buckets", "bucket create json")
_accept(
    "§15.1 #35: reading and writing attributes takes any Accept",
    "status content-type",
    "blobs",
    "blob head any accept",
    "metadata update any accept",
)
_accept("§15.1 #38: a metric has a page", "status", "metrics", "metric html")
_accept(
    "§15.1 #39: creating is 201 with Location, in XML too",
    "status body location",
    "networks",
    "network create xml fails after creating",
    "subnet create xml fails after creating",
)
_accept(
    "§15.1 #39, #40: creating is 201 with Location",
    "status location",
    "networks",
    "network create json",
    "subnet create json",
    "nic create with subnet",
    "nic create json",
)
_accept(
    "§15.1 #39: creating is 201 with Location; a network without a block has no block instead of a null one",
    "status body location",
    "networks",
    "network create json empty",
)

_DECLARED = "§15.1 #42: the status is the declared one, 404 for unknown ids"
_accept(
    _DECLARED,
    "status body",
    "addresses",
    "associate again",
    "associate unknown instance",
    "associate unknown address",
    "destroy used address",
    "disassociate free",
    "destroy unknown address",
)
_accept(_DECLARED, "status body", "buckets", "bucket destroy unknown", "bucket destroy not empty")
_accept(_DECLARED, "status body", "blobs", "blob put unknown bucket", "blob destroy unknown")
_accept(
    _DECLARED, "status body", "networks", "nic destroy unknown", "subnet destroy unknown", "network destroy unknown"
)

_accept("§15.1 #44: run answers the intended text", "status body", "instances", "run xml", "run json")
_accept("§15.1 #46: metrics are found by their id", "status body", "metrics", "metric id ignored")
_accept(
    "§15.1 #47: the documented parameters are enough",
    "status body location",
    "networks",
    "nic create documented parameters",
)
_accept("§15.1 #47: so the instance has one interface more", "body", "networks", "instance with nics")
_accept(
    "§15.1 #51: the bytes of a blob are not repeated in its record",
    "body",
    "blobs",
    "blob json",
    "blob empty metadata json",
    "blob put json",
    "multipart blob json",
)

_DRIVERS = "this server lists the drivers it has, and says what each one's user name and password are"
_accept(_DRIVERS, "body", "drivers", "drivers xml", "drivers json", "driver mock json")
_accept(_DRIVERS, "status body", "drivers", "driver ec2 xml", "driver fgcp json", "driver vsphere json")
_accept(
    "an image without a name gets one; the original failed",
    "status body location",
    "images",
    "image create without name",
)
_accept(
    "the form asks for the instance when the query does not give one",
    "status content-type body",
    "images",
    "image new form without instance",
)
_accept(
    "an answer with a blob's bytes says which driver gave them, as all others do",
    "x-deltacloud-driver",
    "blobs",
    "blob content",
    "blob content html type",
    "put blob content",
    "put blob without type content",
)
_accept(
    "an upload in segments works on every driver", "status content-type body", "blobs", "segmented init not supported"
)
_DECLARES_ALL = "every parameter that is understood is declared"
_accept(_DECLARES_ALL, "allow", "realms", "options realms index")
_accept(_DECLARES_ALL, "allow", "instances", "options create")
_accept("blobs are created by PUT, whose parameters are those of the URL", "allow", "blobs", "options blob create")
