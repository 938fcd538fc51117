"""National systems are told: the feed, webhooks, and receivers of every kind."""
