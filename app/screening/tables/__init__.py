"""What the columns and cells of a delivery mean."""
