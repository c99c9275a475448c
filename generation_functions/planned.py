"""Options that the specification names and that are not built yet.

Each is refused with that reason. When an option is built, its line goes from here
into config.py. An empty set means the whole section.
"""

PLANNED: dict[str, set[str]] = {
    "path": {
        "factual_gen_subset_size_per_way",
        "factual_gen_use_subset",
        "rag_subset_size",
        "rag_use_subset",
        "correction_subset_size",
        "correction_use_subset",
        "huggingface_cache_dir",
    },
    "system": {
        "number_of_factual_sft_generations_to_do",
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
    "factual_sft": set(),
    "factual_sft_settings": {
        "factual_use_stop",
        "factual_chunk_size",
        "factual_completion_mode",
        "items_per_conversation",
        "combine_sharegpt_target_pairs",
        "final_assistant_prompts_rag",
        "small_model",
        "large_model",
    },
    "rag_data": set(),
    "correction_pipeline": set(),
    "meta_datagen": set(),
}
