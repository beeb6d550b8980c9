"""Settings and the data that colleges may change: scales, rules, clocks, words.

Nothing here imports another part of the house.
"""
