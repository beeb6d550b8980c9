"""Screening rounds: cohort, coverage, consent, reminders, report."""
