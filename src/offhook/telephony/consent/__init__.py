"""Who may be texted, and when: policy, suppression list, quiet hours, caps."""
