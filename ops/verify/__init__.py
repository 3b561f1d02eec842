"""Check a live system against its promises: what PostgreSQL and Redis say must add up."""

from ops.verify.finding import Finding, Report, TenantCount
from ops.verify.run import Verification

__all__ = ["Finding", "Report", "TenantCount", "Verification"]
