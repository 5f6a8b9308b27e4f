"""What the tests stand on: brokers, servers and processes that are real, private and always cleaned up."""
