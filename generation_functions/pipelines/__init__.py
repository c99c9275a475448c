"""Pipelines: what happens to one item, one file each."""
