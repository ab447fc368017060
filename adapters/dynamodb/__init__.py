"""DynamoDB: carts and features."""
