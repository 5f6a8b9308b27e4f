"""The figures of docs/performance.md, measured side by side on whatever machine this runs on: ``make bench``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the harness that starts brokers, clouds and services is theirs
