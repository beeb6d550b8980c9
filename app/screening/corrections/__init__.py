"""Taking back, giving to the right student, scoring anew."""
