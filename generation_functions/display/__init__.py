"""What the notebooks show: tables, plots, widgets."""
