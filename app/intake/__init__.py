"""Files that come in: read, checked, previewed, committed. What they mean is each room's own matter."""
