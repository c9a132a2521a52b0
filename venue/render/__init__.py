"""Orders, executions and events in the exchange's JSON."""
