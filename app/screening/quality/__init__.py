"""Whether answers can be believed."""
