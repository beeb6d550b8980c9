"""Whose rows they are."""
