"""What buyers say."""
