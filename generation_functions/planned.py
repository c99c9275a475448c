"""Options that the specification names and that are not built yet.

Each is refused with that reason. When an option is built, its line goes from here
into one of the modules of sections.
"""

PLANNED: dict[str, set[str]] = {
    "path": {"huggingface_cache_dir"},
    "system": {
        "what_percent_of_sft_is_pretrain",
        "num_tokens_pretraining_in_sft",
    },
    "final_datasaving_settings": {
        "generic_dataset_paths",
        "generic_dataset_percentages",
        "max_samples_per_dataset",
        "minimum_generic_sft",
    },
    "factual_sft_settings": {"small_model", "large_model"},
}
