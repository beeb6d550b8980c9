"""The mathematics of the risk model: plain functions over tables, no database, no web."""
