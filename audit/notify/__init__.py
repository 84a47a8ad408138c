"""Who is told that something changed: by mail, and by webhooks."""
