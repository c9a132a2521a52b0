"""The contract between the shared connector code and one exchange's dialect: requests, reports, records."""
