"""eventsite: events, registrations and waitlists, serverless."""

__version__ = "1.0.0"
