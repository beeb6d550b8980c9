"""From an alert to a case and to its end: triage, talks, notes, advice, follow-up, closing."""
