"""Documents: reading, cleaning and chunking."""
