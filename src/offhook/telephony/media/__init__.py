"""What texts carry besides words: kept, checked, hosted."""
