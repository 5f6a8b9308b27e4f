"""A strict EC2: query API 2016-11-15 over HTTP, signature version 4, in memory.

It refuses what the real service refuses, pages every list, and lets machines take their time. What it
knows of the service it has from the public API reference and SDK model, and from error texts quoted in
public issue threads.

Beside the API at ``/`` there is a control endpoint, which `simulators.control.Control` speaks to:

- ``GET /_control/calls`` counts calls by action, ``DELETE`` forgets them;
- ``PUT /_control/faults`` orders faults by action (`simulators.faults.Fault`; ``*`` is every action), ``GET``
  shows what is left of them, ``DELETE`` clears them;
- ``POST /_control/seed`` makes resources in bulk: ``{"instances": 200, "images": 1200, "snapshots": 5,
  "security_groups": 5}``;
- ``GET /_control/instances`` tells the plain truth about machines;
- ``PUT /_control/settings`` changes `simulators.ec2.state.Settings` at run time;
- ``POST /_control/reset`` goes back to the start.
"""

DEFAULT_ACCESS_KEY = "AKIASIMULATED0000001"
DEFAULT_SECRET_KEY = "simulated/secret+key"
