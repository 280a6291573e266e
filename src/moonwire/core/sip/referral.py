"""Reads what a NOTIFY says about a referral: the status line of the call that the referred side makes.

Source: RFC 3515 section 2.4 (REFER and its NOTIFYs), RFC 3420 (message/sipfrag).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from moonwire.core.sip.message import Request, content_type

_STATUS_LINE = re.compile(rb"SIP/2\.0 ([1-6]\d\d)")


@dataclass(frozen=True, slots=True)
class ReferralNews:
    """One NOTIFY; `status` is None when it says nothing readable."""

    status: int | None
    terminated: bool
    """No further NOTIFY follows."""

    @property
    def outcome(self) -> int | None:
        """The final status, or None while it is open; a subscription that ends without one counts as 487."""
        if self.status is not None and self.status >= 200:
            return self.status
        return 487 if self.terminated else None


def read_news(request: Request) -> ReferralNews | None:
    """Read a NOTIFY; None when it is about something else than a referral."""
    if (request.headers.get("Event") or "").partition(";")[0].strip().lower() != "refer":
        return None
    state = (request.headers.get("Subscription-State") or "").partition(";")[0].strip().lower()
    found = _STATUS_LINE.match(request.body) if content_type(request) == "message/sipfrag" else None
    return ReferralNews(int(found[1]) if found else None, state == "terminated")
