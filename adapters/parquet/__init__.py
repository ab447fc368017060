"""Files in Apache Parquet, read with pyarrow."""
