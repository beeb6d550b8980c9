"""一人一档: the roster, the file of one student, and finding it."""
