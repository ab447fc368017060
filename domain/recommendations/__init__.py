"""What else a shopper may like."""
