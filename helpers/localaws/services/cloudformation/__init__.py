"""CloudFormation: resources of a stack that are made, and refused, as by their own APIs."""
