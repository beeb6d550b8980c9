"""What needs attention: rules, alerts, duties with clocks, the ladder, the interview list."""
