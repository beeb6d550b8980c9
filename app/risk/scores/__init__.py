"""What an edition of the model says of whom: kept, shown over time, replayed, watched for drift."""
