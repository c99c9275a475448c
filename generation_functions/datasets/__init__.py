"""Datasets: rows, the mix and the trainer's configs."""
