"""The metrics that every service counts, in Prometheus' terms."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

CALLS = Counter(
    "deltacloud_calls_total", "Calls that were answered, by error code (ok for none)", ["service", "operation", "code"]
)
CALL_SECONDS = Histogram("deltacloud_call_seconds", "How long calls took", ["service", "operation"], buckets=BUCKETS_S)
CALLS_IN_FLIGHT = Gauge("deltacloud_calls_in_flight", "Calls that are being worked on", ["service"])
LATE_REPLIES = Counter("deltacloud_late_replies_total", "Replies dropped because nobody waited for them any more")
NATIVE_CALLS = Counter("deltacloud_native_calls_total", "Requests sent to clouds", ["driver", "call"])
HTTP_REQUESTS = Counter("deltacloud_http_requests_total", "HTTP requests answered", ["method", "route", "status"])
HTTP_SECONDS = Histogram("deltacloud_http_seconds", "How long HTTP requests took", ["route"], buckets=BUCKETS_S)
HTTP_IN_FLIGHT = Gauge("deltacloud_http_in_flight", "HTTP requests that are being worked on")
TRANSFERRED_BYTES = Counter("deltacloud_transferred_bytes_total", "Blob bytes streamed", ["direction"])
