"""What a front door does before a job exists, one file a product."""
