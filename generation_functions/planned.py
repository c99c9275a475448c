"""Options that the specification names and that are not built yet.

Each is refused with that reason. When an option is built, its line goes from here
into sections.py or pipeline_sections.py. An empty set means the whole section.
"""

PLANNED: dict[str, set[str]] = {
    "path": {
        "rag_subset_size",
        "rag_use_subset",
        "correction_subset_size",
        "correction_use_subset",
        "huggingface_cache_dir",
    },
    "system": {
        "what_percent_of_sft_is_pretrain",
        "num_tokens_pretraining_in_sft",
    },
    "final_datasaving_settings": {
        "template_kwargs",
        "generic_dataset_paths",
        "generic_dataset_percentages",
        "max_samples_per_dataset",
        "minimum_generic_sft",
    },
    "factual_sft_settings": {
        "final_assistant_prompts_rag",
        "small_model",
        "large_model",
    },
    "rag_data": set(),
    "correction_pipeline": set(),
    "meta_datagen": set(),
}
