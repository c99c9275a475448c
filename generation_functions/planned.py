"""Options that the specification names and that are not built yet.

Each is refused with that reason. When an option is built, its line goes from here
into one of the modules of sections.
"""

PLANNED: dict[str, set[str]] = {
    "factual_sft_settings": {"small_model", "large_model"},
}
