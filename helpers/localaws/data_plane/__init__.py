"""Lambda's data plane: functions run here, in execution environments."""
