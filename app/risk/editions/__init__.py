"""The life of the model's editions: trained, measured, watched, signed for, used, taken back; their cards."""
