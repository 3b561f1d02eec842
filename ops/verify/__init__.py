"""Check a live system against its promises: the records in PostgreSQL and Redis must agree."""

from ops.verify.finding import Finding, Report, TenantCount
from ops.verify.run import Verification

__all__ = ["Finding", "Report", "TenantCount", "Verification"]
