"""The two pipelines: a document becomes a delivered message, an envelope becomes a receipt."""
