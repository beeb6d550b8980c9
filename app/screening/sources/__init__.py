"""Platforms that deliver again and again."""
