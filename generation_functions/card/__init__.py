"""The dataset card: what a run's own records say about the data that it made."""
