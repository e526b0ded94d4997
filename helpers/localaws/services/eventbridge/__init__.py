"""EventBridge: rules, and schedules of EventBridge Scheduler."""
