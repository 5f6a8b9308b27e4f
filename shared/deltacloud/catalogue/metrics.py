"""metrics: what is measured of instances."""

from deltacloud.catalogue.build import Builder
from deltacloud.models import Metric

COLLECTION = (
    Builder("metrics", "metric", Metric)
    .index(description="List what is measured, without samples.")
    .show(description="Show the samples of one entity.")
    .done(description="What is measured of instances.")
)
