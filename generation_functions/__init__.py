"""Palimpsest: documents in, training data for a domain expert out.

Importing the package loads nothing heavy; it must import on a bare Python.
"""

__version__ = "0.1.0"
