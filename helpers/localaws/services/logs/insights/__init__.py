"""The query language of CloudWatch Logs Insights: a query is parsed, compiled into a plan, and run over log events.

What the language has: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html. What is not here
is refused when the query is parsed, at its place; no query has a result that was not computed.
"""
