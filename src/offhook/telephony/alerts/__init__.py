"""What an operator must act on."""
