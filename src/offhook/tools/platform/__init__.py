"""The catalogue of platform tools: entries with functions of their own, everybody's or one organization's."""
