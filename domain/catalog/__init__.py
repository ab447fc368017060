"""What is sold: products, variations, images, categories, brands, stock."""
