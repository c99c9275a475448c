"""A run on its way to another machine, or its datasets to the Hugging Face hub."""
