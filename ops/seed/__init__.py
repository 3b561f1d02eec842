"""The sample airline: flights, customers, bookings and articles, for trying the product and for tests."""

from pathlib import Path

from ops.seed.airline import SeedCounts, seed_airline
from ops.seed.samples import SAMPLES, Sample

ARTICLES_FOLDER = Path(__file__).parent / "articles"
"""The articles of the sample airline."""

__all__ = [
    "ARTICLES_FOLDER",
    "SAMPLES",
    "Sample",
    "SeedCounts",
    "seed_airline",
]
