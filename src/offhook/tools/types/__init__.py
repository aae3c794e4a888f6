"""One module per tool type; `tools/registry.py` finds them."""
