"""Steps, runs and the folders they write."""
