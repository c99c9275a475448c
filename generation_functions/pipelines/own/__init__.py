"""Pipelines of your own, a module each; `python -m generation_functions new NAME` begins one."""
