"""What every page shares: entering, forms, errors, frame, words, masks."""
