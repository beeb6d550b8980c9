"""Screening rounds: scales as data, answer sheets in, scores sealed."""
