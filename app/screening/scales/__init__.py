"""Scales as data: their files, checked, and the arithmetic on answers."""
