"""Whom else a call talks to: people we call, patch through, or hand the caller over to."""
