"""The sample airline: flights, customers, bookings and articles, for trying the product and for tests."""

from ops.seed.airline import SeedCounts, seed_airline
from ops.seed.knowledge import ARTICLES_FOLDER, ImportCounts, InvalidArticle, import_articles
from ops.seed.samples import SAMPLES, Sample

__all__ = [
    "ARTICLES_FOLDER",
    "SAMPLES",
    "ImportCounts",
    "InvalidArticle",
    "Sample",
    "SeedCounts",
    "import_articles",
    "seed_airline",
]
