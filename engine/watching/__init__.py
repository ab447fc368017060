"""What is told of operations: figures, log lines, traces."""
