"""The product's heart: what a tool is, what the model sees of it, and the one road every call of it takes."""
