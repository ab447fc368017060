"""What a shopper means to buy: lines, kept for a user or a guest."""
