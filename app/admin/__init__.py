"""Second signatures, rules and clocks, and what keeps the house running."""
